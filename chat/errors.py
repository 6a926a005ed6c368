"""What can be refused. Each error has a stable ``code`` and a sentence that a person can act on."""

from __future__ import annotations


class ChatError(Exception):
    """Base of everything that this app refuses. ``status`` is what a page answers with."""

    code = "refused"
    message = "This could not be done."
    status = 409

    def __init__(self, message: str = "") -> None:
        super().__init__(message or self.message)


class StudyNotOpen(ChatError):
    code = "study_not_open"
    message = "This study is not open at the moment."


class StudyRefused(ChatError):
    """A study cannot be made of what was named; the sentence says why."""

    code = "study_refused"


class StudyFull(ChatError):
    code = "study_full"
    message = "This study has all the conversations that it needs. Thank you for your interest."


class PoolInUse(ChatError):
    code = "pool_in_use"
    message = (
        "The contexts of a study that is open, or in which somebody has talked, stay as they are: comparisons of "
        "models rest on them. Pause a study in which nobody has talked yet; else make another one."
    )


class CapReached(ChatError):
    code = "cap_reached"
    message = "You have had all your conversations in this study."


class WrongStep(ChatError):
    code = "wrong_step"
    message = "This step is not open to you now. Open the study's link again to go on."


class AlreadyExcluded(ChatError):
    code = "already_excluded"
    message = "This worker is excluded from the study already."


class NotExcluded(ChatError):
    code = "not_excluded"
    message = "This worker is not excluded from the study."


class NoCodeYet(ChatError):
    code = "no_code_yet"
    message = "The code is shown when your part is finished."
    status = 404


class BadToken(ChatError):
    code = "bad_token"
    message = "This link is damaged or too old. Ask for a new one."
    status = 403


class TalkNotFound(ChatError):
    """Missing and foreign look alike."""

    code = "not_found"
    message = "There is no such conversation."
    status = 404


class TalkOver(ChatError):
    code = "talk_over"
    message = "The conversation has ended; nothing more can be said in it."


class NotYourTurn(ChatError):
    code = "not_your_turn"
    message = "Please wait for your partner's reply first."


class TooEarly(ChatError):
    code = "too_early"
    message = "The conversation is still too short to rate."


class MessageRefused(ChatError):
    """A rule refused the text; ``code`` is the rule's (chat.rules)."""

    status = 400

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class MessageNotFound(ChatError):
    code = "no_such_message"
    message = "Only a reply of your partner can be reported."
    status = 404


class FrameRefused(ChatError):
    """A frame from a browser is not what it should be: ``bad_json``, ``unknown_type`` or ``bad_field``."""

    status = 400

    def __init__(self, code: str, message: str, client_id: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.client_id = client_id


class TooFast(ChatError):
    code = "slow_down"
    message = "That was too fast. Please wait a moment and try again."
    status = 429


class PartnersAway(ChatError):
    """The study has room, but none of its models can take another talk just now."""

    code = "partners_away"
    message = "No partner is free at the moment. Please wait a little and look again."
    status = 503


class PartnerBusy(ChatError):
    """The model owes so many replies that another would come too late; whoever asked sends again."""

    code = "busy"
    message = "Very many people are talking just now. What you wrote is kept and is sent again in a moment."
    status = 503


class TryAgain(ChatError):
    """The database is away for a moment; whoever asked sends again."""

    code = "try_again"
    message = (
        "The site cannot be reached for a moment. What you wrote is kept; it is tried again in a moment."
    )
    status = 503
