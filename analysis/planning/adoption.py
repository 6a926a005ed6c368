"""Adopt a plan while the study is a draft. Each adoption is a row that stays, and is among the study's decisions."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

from django.db import transaction
from django.db.models import Max

from analysis.errors import AdoptionRefused
from analysis.models import StudyPlan
from analysis.planning import standing
from analysis.planning.scenario import Plan
from analysis.statistics.terms import Question
from chat.models import Arm, Study
from ratings.axes import Axis
from ratings.models import Decision

logger = logging.getLogger(__name__)

#: What a plan says, as decisions and exports tell it.
TOLD = (
    "axis question difference sd icc talks_a_worker dealing spread_source alpha power rule looks talks_per_arm on_stop"
).split()


def adopt(
    study: Study,
    plan: Plan,
    *,
    axis: str,
    on_stop: str,
    spread_source: str,
    actor: str,
    note: str = "",
    pair: Sequence[int] = (),
) -> StudyPlan:
    """Adopt a plan, in place of one that was adopted before; each arm's target becomes the plan's number of talks.

    ``pair`` has two arms' positions where one pair of more than two models is asked about. Raises AdoptionRefused.
    """
    with transaction.atomic():
        study = _draft(study)
        arms = list(study.arms.select_related("revision__model").order_by("position"))
        _check(plan, arms, axis)
        first, second = _pair(plan, arms, pair)
        before = standing.plan_of(study)
        asked = plan.scenario
        adopted = StudyPlan.objects.create(
            study=study,
            version=_next_version(study),
            axis=axis,
            question=asked.question.value,
            first=first,
            second=second,
            difference=asked.difference,
            sd=asked.sd,
            icc=asked.icc,
            talks_a_worker=asked.talks_a_worker,
            dealing=asked.dealing.value,
            spread_source=spread_source[:200],
            alpha=asked.alpha,
            power=asked.power,
            rule=asked.rule.value,
            looks=asked.looks,
            talks_per_arm=plan.talks,
            on_stop=StudyPlan.OnStop(on_stop),
            adopted_by=actor[:150],
        )
        study.arms.update(target=plan.talks)
        _tell(study, before, adopted, actor, note)
    logger.info("plan adopted", extra={"study": study.slug, "version": adopted.version})
    return adopted


def withdraw(study: Study, *, actor: str, note: str = "") -> StudyPlan:
    """Go without a plan; targets stay as they are. Raises AdoptionRefused."""
    with transaction.atomic():
        study = _draft(study)
        before = standing.plan_of(study)
        if before is None:
            raise AdoptionRefused(f"{study.slug} has no plan that could be withdrawn.")
        kept = {field.attname: getattr(before, field.attname) for field in StudyPlan._meta.concrete_fields}
        for own in ("id", "adopted_at"):
            kept.pop(own)
        withdrawn = StudyPlan.objects.create(
            **kept | {"version": _next_version(study), "withdrawn": True, "adopted_by": actor[:150]}
        )
        _tell(study, before, None, actor, note)
    return withdrawn


def _draft(study: Study) -> Study:
    """The study's row, locked, so that it does not open meanwhile."""
    study = Study.objects.select_for_update().get(pk=study.pk)
    if study.state != Study.State.DRAFT:
        raise AdoptionRefused(
            f"{study.slug} is {study.get_state_display()}: a plan counts where it is adopted before the first talk, so "
            "it can be adopted or changed in a draft alone. Make another study of the same models to plan it."
        )
    return study


def _check(plan: Plan, arms: Sequence[Arm], axis: str) -> None:
    if axis not in Axis.values:
        raise AdoptionRefused(f"There is no axis {axis!r}; rated are {', '.join(Axis.values)}.")
    if len(arms) < 2:
        raise AdoptionRefused(f"The study has {len(arms)} models; a plan compares at least 2.")
    if plan.scenario.models != len(arms):
        raise AdoptionRefused(
            f"The plan is for {plan.scenario.models} models, the study has {len(arms)}; plan for {len(arms)}."
        )


def _pair(plan: Plan, arms: Sequence[Arm], pair: Sequence[int]) -> tuple[Arm | None, Arm | None]:
    if plan.scenario.question is not Question.ONE_PAIR:
        return None, None
    named = [arm for arm in arms if arm.position in pair] if pair else list(arms)
    if len(named) != 2:
        known = "; ".join(f"{arm.position}: {arm.revision.model.name}" for arm in arms)
        raise AdoptionRefused(f"Say which pair is asked about, by the places of two models: {known}.")
    return named[0], named[1]


def _next_version(study: Study) -> int:
    return (StudyPlan.objects.filter(study=study).aggregate(last=Max("version"))["last"] or 0) + 1


def _tell(study: Study, before: StudyPlan | None, after: StudyPlan | None, actor: str, note: str) -> None:
    Decision.objects.create(
        study=study,
        act=Decision.Act.PLAN,
        reason=Decision.Reason.PLAN,
        note=note.strip()[:500],
        actor=actor[:150],
        details={"before": told(before), "after": told(after)},
    )


def told(plan: StudyPlan | None) -> dict[str, Any] | None:
    """A plan as a decision keeps it."""
    if plan is None:
        return None
    pair = [arm.position for arm in (plan.first, plan.second) if arm is not None]
    return {"version": plan.version, **{name: getattr(plan, name) for name in TOLD}, "pair": pair or None}
