"""Planned looks: each is computed once, from people's ratings as they are then, and stored for good."""

from __future__ import annotations

import logging
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from django.db import IntegrityError, transaction

from analysis.models import StudyLook, StudyPlan
from analysis.planning import standing
from analysis.reading.frames import ratings_frame
from analysis.reading.ratings_frame import Population, RatingsFrame
from analysis.statistics import stopping
from analysis.statistics.differences import pairs
from analysis.statistics.means import Floats, Integers
from analysis.statistics.stopping import Compared
from analysis.statistics.terms import Question, Rule
from analysis.version import code_version
from chat import studies
from chat.models import Arm, Study
from ratings.models import Decision

logger = logging.getLogger(__name__)


def take_due(study: Study) -> StudyLook | None:
    """Take the look that is due, if one is; of two who take it the first stores it.

    A look that answers the question closes the study where its plan says so, in the same transaction.
    """
    plan = standing.plan_of(study)
    if plan is None:
        return None
    taken = standing.looks_of(plan)
    if not standing.look_due(plan, taken, standing.talks_by_arm(study)):
        return None
    look = _look(plan, taken)
    return look if look is not None and _store(plan, look) else None


def _store(plan: StudyPlan, look: StudyLook) -> bool:
    """False where somebody else took it meanwhile."""
    extra = {"study": plan.study.slug, "look": look.number, "decision": str(look.decision)}
    look.closed_study = plan.closes_itself and look.decision == StudyLook.Decision.ANSWERED
    try:
        with transaction.atomic():
            look.save(force_insert=True)
            if look.closed_study:
                _close(plan, look)
    except IntegrityError:
        if not plan.taken.filter(number__gte=look.number).exists():
            raise
        logger.info("a look was taken by somebody else", extra=extra)
        return False
    logger.info("look taken", extra=extra)
    return True


def _close(plan: StudyPlan, look: StudyLook) -> None:
    """No talk begins any more; those under way go on."""
    studies.close(plan.study)
    Decision.objects.create(
        study=plan.study,
        act=Decision.Act.STOP,
        reason=Decision.Reason.PLAN,
        actor=standing.PLAN_ACTOR,
        details={"plan": plan.version, "look": look.number, "share": look.share, "limit": look.limit},
    )


# --- What a look finds -------------------------------------------------------------------------------------------


def _look(plan: StudyPlan, taken: list[StudyLook]) -> StudyLook | None:
    """The look that is due with the ratings that are there now, not stored; None where they are fewer again."""
    arms = list(plan.study.arms.order_by("position"))
    frame = ratings_frame(plan.study, Population.PEOPLE)
    talks = dict(zip((arm.position for arm in arms), frame.talks_by_model().tolist(), strict=True))
    number = standing.look_due(plan, taken, talks)
    if not number:
        return None
    smallest = standing.smallest(plan, talks)
    share = smallest / plan.talks_per_arm
    first, second = pairs_of_plan(plan, arms)
    found = pairs_compared(frame, plan.axis, first, second)
    limit = limit_of(plan, len(arms), [*(each.share for each in taken), share])
    passed = stopping.passed(found.z, limit)
    decided = stopping.decided_by(
        Question(plan.question), [*(_column(each, "passed") for each in taken), passed]
    )
    best = stopping.leader(first, second, decided, len(arms)) if plan.question == Question.BEST else None
    return StudyLook(
        plan=plan,
        number=number,
        talks=talks,
        smallest=smallest,
        share=share,
        limit=limit,
        pairs=_rows(found, arms, passed, decided),
        best=None if best is None else arms[best],
        decision=_decision(plan, number, first, second, decided, len(arms)),
        data_sha256=frame.sha256,
        code_version=code_version(),
    )


def pairs_of_plan(plan: StudyPlan, arms: Sequence[Arm]) -> tuple[Integers, Integers]:
    """The pairs that the plan asks about, by the places of their arms (P,)."""
    if plan.first is None or plan.second is None:
        return pairs(len(arms))
    places = {arm.pk: place for place, arm in enumerate(arms)}
    return np.array([places[plan.first.pk]]), np.array([places[plan.second.pk]])


def pairs_compared(frame: RatingsFrame, axis: str, first: Integers, second: Integers) -> Compared:
    """The mixed model's contrasts of pairs on one axis."""
    return stopping.compared(frame.table(), frame.axes.index(axis), first, second)


def alpha_of_a_pair(plan: StudyPlan, models: int) -> float:
    return stopping.error_of_a_pair(Question(plan.question), models, plan.alpha)


def limit_of(plan: StudyPlan, models: int, shares: Sequence[float]) -> float:
    """The limit for each pair's |Z| at the last of these looks."""
    found: Floats = stopping.limits(Rule(plan.rule), np.array(shares), alpha_of_a_pair(plan, models))
    return float(found[-1])


def _decision(
    plan: StudyPlan, number: int, first: Integers, second: Integers, decided: Integers, models: int
) -> StudyLook.Decision:
    if stopping.is_answered(Question(plan.question), first, second, decided, models):
        return StudyLook.Decision.ANSWERED
    return StudyLook.Decision.END if number == plan.looks else StudyLook.Decision.GO_ON


def _column(look: StudyLook, name: str) -> Integers:
    return np.array([each[name] for each in look.pairs], dtype=np.int64)


def _rows(found: Compared, arms: Sequence[Arm], passed: Integers, decided: Integers) -> list[dict[str, Any]]:
    """As StudyLook keeps them."""
    figures = {name: getattr(found, name).tolist() for name in ("estimate", "error", "df", "z")}
    return [
        {
            "first": arms[first].position,
            "second": arms[second].position,
            **{name: _known(values[place]) for name, values in figures.items()},
            "passed": int(passed[place]),
            "decided": int(decided[place]),
        }
        for place, (first, second) in enumerate(zip(found.first, found.second, strict=True))
    ]


def _known(value: float) -> float | None:
    """JSON has no NaN and no infinity."""
    return value if math.isfinite(value) else None
