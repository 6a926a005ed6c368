"""How records name the models of a study's arms."""

from __future__ import annotations

from dataclasses import dataclass

from analysis.reading.frames import model_labels
from chat.models import Study


@dataclass(frozen=True, slots=True)
class ArmName:
    """``position`` is the row in Table 7, ``reference`` slug@revision, ``label`` the name in Table 7."""

    position: int
    reference: str
    label: str


def arms_by_id(study: Study) -> dict[int, ArmName]:
    """By the arm's id, in the order of Table 7; one query."""
    arms = list(study.arms.select_related("revision__model").order_by("position"))
    return {
        arm.pk: ArmName(arm.position, arm.revision.reference, label)
        for arm, label in zip(arms, model_labels(arms), strict=True)
    }
