"""What can go wrong between a simulated worker and a site. Each says what to do."""

from __future__ import annotations


class SimulationError(Exception):
    """Base of this package's errors; ``code`` is stable, the text is for a person."""

    code = "simulation"


class SiteDown(SimulationError):
    """Nobody answers at the address."""

    code = "site_down"


class StudyUnknown(SimulationError):
    """The site has no study of that name."""

    code = "study_unknown"


class StudyNotOpen(SimulationError):
    """The study is closed, paused or full."""

    code = "study_not_open"


class WrongSite(SimulationError):
    """The site does not accept this data folder's simulation tokens."""

    code = "wrong_site"


class UnexpectedPage(SimulationError):
    """The site answered with another page than the visit's next step."""

    code = "unexpected_page"


class NoReply(SimulationError):
    """The partner said nothing within the visitor's patience."""

    code = "no_reply"


class TalkEnded(SimulationError):
    """The talk was ended by the site while the visitor was in it."""

    code = "talk_ended"


class Refused(SimulationError):
    """The site refused a frame; ``reason`` is what the evaluator reads."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(f"{code}: {reason}")
        self.code = code
        self.reason = reason
