"""What annotators, questions and missing coefficients are called in a report on annotations."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from analysis.annotations import AnnotationAnalysis, QuestionAgreement
from analysis.statistics.agreement import NoAgreement

#: Customary lower bounds of alpha (Krippendorff 2019, chapter 12): to rest conclusions on, and to draw tentative ones.
RELIABLE, TENTATIVE = 0.8, 0.667
WHY_NOT = {
    NoAgreement.NONE: "",
    NoAgreement.NO_OVERLAP: "no unit was judged by several annotators",
    NoAgreement.ONE_VALUE: "all judgements are the same",
    NoAgreement.ONE_UNIT: "a single unit has no limits",
    NoAgreement.TOO_MANY_VALUES: "too many different labels to count them in pairs",
}


@dataclass(frozen=True, slots=True)
class Names:
    """What annotators are called: by number in the order of their ids, or by these."""

    ids: tuple[str, ...]
    identified: bool

    def __call__(self, person: int) -> str:
        return self.ids[person] if self.identified else f"annotator {person + 1}"


def in_all(analysis: AnnotationAnalysis) -> Iterator[tuple[QuestionAgreement, str]]:
    """Each question with what stands before a title that is about it: nothing where there is one alone."""
    several = len(analysis.questions) > 1
    for question in analysis.questions:
        yield question, f"{question.name}: " if several else ""


def titled(before: str, words: str) -> str:
    return f"{before}{words}" if before else f"{words[:1].upper()}{words[1:]}"
