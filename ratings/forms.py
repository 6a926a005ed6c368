"""The questions as a page shows them, with what was answered and what is wrong with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from django.http import QueryDict

from ratings import attention
from ratings.attention import AttentionItem
from ratings.axes import QUESTIONS
from ratings.models import HIGHEST, LOWEST

SCALE = tuple(str(score) for score in range(LOWEST, HIGHEST + 1))


@dataclass(frozen=True, slots=True)
class AskedQuestion:
    """A question on the page: ``chosen`` is "" for no answer, ``reason`` is "" when all is well.

    ``name`` is the form's, ``label`` is short; ``low`` and ``high`` say what the ends of the scale mean.
    """

    name: str
    label: str
    text: str
    low: str
    high: str
    chosen: str
    reason: str

    @property
    def scale(self) -> list[tuple[str, bool]]:
        """Each step of the scale and whether it is the chosen one."""
        return [(step, step == self.chosen) for step in SCALE]

    @property
    def first_id(self) -> str:
        """The id of the first radio button, where the error summary leads."""
        return f"{self.name}-{LOWEST}"


def asked(
    item: AttentionItem | None,
    scores: Mapping[str, str] | None = None,
    reasons: Mapping[str, str] | None = None,
) -> list[AskedQuestion]:
    """The questions in the order of the paper, the attention item at its place among them."""
    scores, reasons = scores or {}, reasons or {}
    words = [(each.axis.value, each.axis.label, each.text, each.low, each.high) for each in QUESTIONS]
    if item:
        words.insert(item.place, (attention.NAME, attention.LABEL, item.text, attention.LOW, attention.HIGH))
    return [AskedQuestion(*each, scores.get(each[0], ""), reasons.get(each[0], "")) for each in words]


def posted_scores(post: QueryDict) -> dict[str, str]:
    """What was sent, one text a name; an axis that was sent twice reads "3,4", which is on no scale."""
    return {name: ",".join(values) for name, values in post.lists() if name != "csrfmiddlewaretoken"}
