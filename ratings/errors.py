"""What can be refused about ratings, each with a stable ``code`` and a sentence that a person can act on."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime


class RatingError(Exception):
    """Base of everything that this app refuses. ``status`` is what a page answers with."""

    code = "rating_refused"
    message = "The ratings could not be stored."
    status = 409

    def __init__(self, message: str = "") -> None:
        super().__init__(message or self.message)


class RatingsRefused(RatingError):
    """Scores are missing or not on the scale; ``reasons`` has a sentence for each axis at fault."""

    code = "bad_scores"
    message = "Please answer every question with a number from 1 to 5."
    status = 400

    def __init__(self, reasons: Mapping[str, str]) -> None:
        super().__init__()
        self.reasons = reasons


class NotRatingYet(RatingError):
    code = "not_rating_yet"
    message = "The talk is not over yet. Finish it first; then you can rate it."


class TalkNotRated(RatingError):
    code = "talk_not_rated"
    message = "This talk ended without a rating, and none can be added."


class AlreadyRated(RatingError):
    """Ratings are given once; ``at`` is when."""

    code = "already_rated"
    message = "You have rated this talk already."

    def __init__(self, at: datetime) -> None:
        super().__init__()
        self.at = at


class PolicyRefused(RatingError):
    """A policy cannot be declared as it was given; the sentence says what to change."""

    code = "policy_refused"
    status = 400


class GoldRefused(RatingError):
    """What is expected of a gold talk cannot be stated so; the sentence says what to change."""

    code = "gold_refused"
    status = 400


class DecisionRefused(RatingError):
    """What was decided about a worker cannot be taken as it was given; ``field`` is at fault where it is one."""

    code = "decision_refused"
    status = 400

    def __init__(self, message: str = "", *, field: str = "") -> None:
        super().__init__(message)
        self.field = field


class NotPayableSo(RatingError):
    """As a worker's pay stands, this cannot be decided about it; the sentence says what can."""

    code = "not_payable_so"
