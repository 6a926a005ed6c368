"""The four questions as a page shows them, with what was answered and what is wrong with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from django.http import QueryDict

from ratings.axes import QUESTIONS, Question
from ratings.models import HIGHEST, LOWEST

SCALE = tuple(str(score) for score in range(LOWEST, HIGHEST + 1))


@dataclass(frozen=True, slots=True)
class AskedQuestion:
    """A question on the page: ``chosen`` is "" for no answer, ``reason`` is "" when all is well."""

    question: Question
    chosen: str
    reason: str

    @property
    def scale(self) -> list[tuple[str, bool]]:
        """Each step of the scale and whether it is the chosen one."""
        return [(step, step == self.chosen) for step in SCALE]

    @property
    def first_id(self) -> str:
        """The id of the first radio button, where the error summary leads."""
        return f"{self.question.axis.value}-{LOWEST}"


def asked(
    scores: Mapping[str, str] | None = None, reasons: Mapping[str, str] | None = None
) -> list[AskedQuestion]:
    """The questions in the order of the paper."""
    scores, reasons = scores or {}, reasons or {}
    return [
        AskedQuestion(question, scores.get(question.axis.value, ""), reasons.get(question.axis.value, ""))
        for question in QUESTIONS
    ]


def posted_scores(post: QueryDict) -> dict[str, str]:
    """What was sent, one text a name; an axis that was sent twice reads "3,4", which is on no scale."""
    return {name: ",".join(values) for name, values in post.lists() if name != "csrfmiddlewaretoken"}
