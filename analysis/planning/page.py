"""What a study's page shows of its plan as it stands now."""

from __future__ import annotations

from typing import Any

from analysis.planning.live import Planned, always_valid
from analysis.reading.frames import model_labels, ratings_frame
from analysis.reading.ratings_frame import Population
from analysis.statistics import contrasts
from analysis.statistics.means import PAPER_SCALE
from analysis.statistics.planning import ALPHA
from analysis.statistics.stopping import of_differences
from analysis.writeup import looks
from chat.models import Study


def standing_parts(study: Study, planned: Planned) -> dict[str, Any]:
    """The plan in words, its looks, and limits that hold at this moment, of people's ratings.

    Five queries; of a study without a talk of each model no ratings are read.
    """
    arms = list(study.arms.select_related("revision__model").order_by("position"))
    models = model_labels(arms)
    names = dict(zip(planned.positions, models, strict=True))
    parts: dict[str, Any] = {
        "planned": planned,
        "arms": [(arm.position, name) for arm, name in zip(arms, models, strict=True)],
        "is_draft": study.state == Study.State.DRAFT,
    }
    if planned.plan:
        parts |= {
            "plan_sentences": list(looks.plan_sentences(planned.plan, len(arms), names)),
            "standing": looks.standing_sentence(planned, names),
            "plan_grid": looks.plan_grid(planned.plan, planned),
        }
    if planned.looks:
        parts["look_grid"] = looks.last_look_grid(planned.looks[-1], names)
    if planned.talks and min(planned.talks.values()):
        parts |= _now(study, planned, models)
    return parts


def _now(study: Study, planned: Planned, models: tuple[str, ...]) -> dict[str, Any]:
    frame = ratings_frame(study, Population.PEOPLE)
    table, place = frame.table(), frame.axes.index(planned.axis)
    found = of_differences(contrasts.cr2(table), place)
    talks = table.count[:, :, place].sum(axis=0)
    always = always_valid(found, talks, planned.per_model, planned.alpha or ALPHA, PAPER_SCALE)
    if always is None:
        return {}
    return {"live_grid": looks.live_grid(always, models), "live_words": looks.live_sentence(always)}
