"""Studies with a plan, and talks that are rated as a plan expects or not at all."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from analysis.models import StudyPlan
from analysis.planning import adoption
from analysis.planning.scenario import Scenario, plan
from chat import studies
from chat.models import Conversation, Study
from ratings.axes import Axis
from tests.analysis.rated_studies import RatedStudy, make_study

#: A difference that 60 talks of each of two models find with power .8 at four looks.
LARGE = {"difference": 0.68, "sd": 1.3, "icc": 0.2, "talks_a_worker": 4.0, "looks": 4}


def draft(models: Sequence[str] = ("ConvAI2", "WoW"), slug: str = "planned") -> RatedStudy:
    rated = make_study(slug=slug, models=models)
    Study.objects.filter(pk=rated.study.pk).update(state=Study.State.DRAFT)
    rated.study.refresh_from_db()
    return rated


def adopt(
    rated: RatedStudy, *, on_stop: str = "advise", pair: Sequence[int] = (), **changes: Any
) -> StudyPlan:
    scenario = Scenario(**LARGE | {"models": len(rated.arms)} | changes)
    return adoption.adopt(
        rated.study,
        plan(scenario),
        axis=Axis.OVERALL.value,
        on_stop=on_stop,
        spread_source="given",
        actor="ada",
        pair=pair,
    )


def planned(
    models: Sequence[str] = ("ConvAI2", "WoW"), *, on_stop: str = "advise", **changes: Any
) -> tuple[RatedStudy, StudyPlan]:
    """An open study with a plan and no talks."""
    rated = draft(models)
    adopted = adopt(rated, on_stop=on_stop, **changes)
    studies.open_study(rated.study)
    return rated, adopted


def hold(
    rated: RatedStudy, talks: int, levels: Sequence[float], *, seed: int = 1, simulated: bool = False
) -> None:
    """So many more talks of each model, rated about its level by workers of different leniency, four talks a worker."""
    draw, batch = np.random.default_rng(seed), []
    begun = Conversation.objects.filter(arm__study=rated.study).count()
    for talk in range(talks):
        for model, level in enumerate(levels):
            worker = (begun + talk * len(levels) + model) // 4
            own = np.random.default_rng([seed, worker]).normal(0, 0.5)
            score = int(np.clip(round(level + own + draw.normal(0, 1.0)), 1, 5))
            made = rated._talk(f"w{worker}", model, simulated, Conversation.State.COMPLETE)
            batch.append((made, [score] * len(Axis)))
    rated._store(batch)
