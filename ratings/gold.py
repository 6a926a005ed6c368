"""Gold talks: an arm may state what any attentive person would answer about talks with its model."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from django.db import transaction

from chat.models import Arm, Conversation, Study
from ratings.axes import Axis
from ratings.errors import GoldRefused
from ratings.models import HIGHEST, LOWEST, GoldExpectation

logger = logging.getLogger(__name__)

Range = tuple[int, int]


def arm_named(study: Study, model: str) -> Arm:
    """The study's arm with the model of this slug, or ``slug@number``. Raises GoldRefused."""
    arms = list(study.arms.select_related("revision__model"))
    found = [arm for arm in arms if model in (arm.revision.model.slug, arm.revision.reference)]
    if len(found) == 1:
        return found[0]
    names = ", ".join(arm.revision.reference for arm in found or arms) or "none"
    what = "names several models" if found else "is no model"
    raise GoldRefused(f"{model!r} {what} of study {study.slug!r}; choose from: {names}.")


def state_gold(arm: Arm, expected: Mapping[str, Range]) -> int:
    """State what is expected of talks with this arm, each range an axis, in place of what was stated before.

    Nothing stated makes it an arm like any other. Gives how many people's talks with it were begun before: what is
    stated after them was perhaps fitted to them. Raises GoldRefused.
    """
    checked = {_axis(axis): _range(axis, *ends) for axis, ends in expected.items()}
    with transaction.atomic():
        Arm.objects.select_for_update().get(pk=arm.pk)
        GoldExpectation.objects.filter(arm=arm).delete()
        GoldExpectation.objects.bulk_create(
            GoldExpectation(arm=arm, axis=axis, low=low, high=high) for axis, (low, high) in checked.items()
        )
        before = Conversation.objects.filter(arm=arm, simulated=False).count()
    logger.info("gold talks stated", extra={"arm": arm.pk, "axes": len(checked), "talks": before})
    return before


def expected_of(arm: Arm) -> dict[str, Range]:
    """What is stated for the arm, in the order of the axes."""
    stated = {each.axis: (each.low, each.high) for each in arm.gold_expectations.all()}
    return {axis: stated[axis] for axis in Axis.values if axis in stated}


def in_words(expected: Mapping[str, Range]) -> str:
    """``knowledge 1-2, overall 1``."""
    return ", ".join(
        f"{axis} {low}" if low == high else f"{axis} {low}-{high}" for axis, (low, high) in expected.items()
    )


def _axis(name: str) -> Axis:
    if name not in Axis.values:
        raise GoldRefused(f"There is no axis {name!r}; there are: {', '.join(Axis.values)}.")
    return Axis(name)


def _range(axis: str, low: int, high: int) -> Range:
    if not LOWEST <= low <= high <= HIGHEST:
        raise GoldRefused(f"{axis}: {low}-{high} is no range; write LOW-HIGH, within {LOWEST} and {HIGHEST}.")
    if (low, high) == (LOWEST, HIGHEST):
        raise GoldRefused(f"{axis}: {low}-{high} holds every answer and expects nothing; leave the axis out.")
    return low, high
