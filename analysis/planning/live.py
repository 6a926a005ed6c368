"""What a study's plan has come to, for whoever looks at any time: the plan, its looks, and limits that always hold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from analysis.models import StudyLook, StudyPlan
from analysis.planning import standing
from analysis.statistics import stopping
from analysis.statistics.means import Floats, Integers, Intervals, Scale
from analysis.statistics.stopping import Compared
from analysis.statistics.terms import Question
from chat.models import Arm, Study
from ratings.axes import Axis


@dataclass(frozen=True, slots=True)
class Planned:
    """``plan`` is None for a study without one. ``positions`` are those of the study's models in the report's order.

    ``per_model`` is how many talks of each model are meant to be there at the end: the plan's, else the lowest target;
    ``talks`` are people's complete ones by position.
    """

    plan: StudyPlan | None
    looks: tuple[StudyLook, ...]
    positions: tuple[int, ...]
    per_model: int
    talks: dict[int, int]

    @property
    def axis(self) -> str:
        return self.plan.axis if self.plan else Axis.OVERALL.value

    @property
    def alpha(self) -> float | None:
        """The plan's error rate; None without one."""
        return self.plan.alpha if self.plan else None

    @property
    def next_look(self) -> tuple[int, int] | None:
        """Number and talks of each model of the look that comes next; None where none does."""
        if self.plan is None or (self.looks and self.looks[-1].is_last):
            return None
        number = (self.looks[-1].number if self.looks else 0) + 1
        reached = self.plan.looks_reached(standing.smallest(self.plan, self.talks))
        number = max(number, reached)
        return number, self.plan.due_at(number)


def planned_of(study: Study) -> Planned:
    """The study's plan and what became of it. Four queries."""
    plan = standing.plan_of(study)
    arms = list(Arm.objects.filter(study=study).order_by("position").values_list("position", "target"))
    return Planned(
        plan=plan,
        looks=tuple(standing.looks_of(plan)) if plan else (),
        positions=tuple(position for position, _ in arms),
        per_model=plan.talks_per_arm if plan else min((target for _, target in arms), default=0),
        talks=standing.talks_by_arm(study),
    )


@dataclass(frozen=True, slots=True)
class Always:
    """Limits of differences that hold whenever anybody looks, over all pairs together; each (P,).

    ``share`` is what the model with the fewest talks has of ``per_model``; ``alpha`` is the error rate of all together.
    """

    found: Compared
    limits: Intervals
    share: float
    per_model: int
    alpha: float

    @property
    def fewest(self) -> int:
        return round(self.share * self.per_model)


def always_valid(
    found: Compared, talks: Integers | Floats, per_model: int, alpha: float, scale: Scale
) -> Always | None:
    """For every pair of models; None where a model has no talk yet, or no number of talks was planned.

    ``talks`` (M,) are those of each model; no difference is larger than the ``scale`` is wide.
    """
    if len(talks) < 2 or per_model < 1 or not min(talks):
        return None
    share = float(min(talks)) / per_model
    alpha_of_a_pair = stopping.error_of_a_pair(Question.ALL_PAIRS, len(talks), alpha)
    limits = stopping.at_any_time(found, share, alpha_of_a_pair, scale.width)
    return Always(found=found, limits=limits, share=share, per_model=per_model, alpha=alpha)


def differing(always: Always) -> Sequence[int]:
    """The places of the pairs whose limits leave zero out."""
    return [
        place
        for place, (low, high) in enumerate(zip(always.limits.low, always.limits.high, strict=True))
        if low > 0 or high < 0
    ]
