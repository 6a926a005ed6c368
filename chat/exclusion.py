"""Take all of a worker's talks out of a study, and bring them back. Nothing is deleted.

Who is excluded, and why, is decided above; here are the slots and the worker's way. Rows are locked in the order in
which a start takes them: study, participation, arms.
"""

from __future__ import annotations

import logging
from collections import Counter
from dataclasses import dataclass
from uuid import UUID

from django.db import transaction
from django.db.models import F, QuerySet
from django.utils import timezone

from chat.endings import end
from chat.errors import AlreadyExcluded, NotExcluded
from chat.models import Arm, Conversation, Participation, Study
from chat.participation import live_talks

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Moved:
    """How many finished talks went out or came back, and how many slots with them."""

    talks: int
    slots: int


def take_out(participation_id: UUID) -> Moved:
    """Let none of the worker's talks count: a live one ends, slots go back to their arms, no new one begins.

    Raises AlreadyExcluded.
    """
    with transaction.atomic():
        participation = _locked(participation_id)
        changed = Participation.objects.filter(pk=participation_id, excluded_at=None).update(
            excluded_at=timezone.now()
        )
        if not changed:
            raise AlreadyExcluded()
        for live in live_talks(participation):
            end(live.pk, Conversation.State.WITHDRAWN)
        holding = _complete(participation).filter(holds_slot=True)
        by_arm = Counter(holding.values_list("arm_id", "simulated"))
        for (arm, simulated), talks in sorted(by_arm.items()):
            field = _field(simulated)
            Arm.objects.filter(pk=arm).update(**{field: F(field) - talks})
        holding.update(holds_slot=False)
        moved = Moved(talks=_complete(participation).count(), slots=by_arm.total())
    logger.info("worker taken out", extra={"participation": participation_id, "talks": moved.talks})
    return moved


def bring_back(participation_id: UUID) -> Moved:
    """Let the worker's finished talks count again; who has not reached the end meanwhile may go on.

    A talk takes its slot back where its arm still has one. Where others filled the arm meanwhile it counts all the
    same, without a slot: the arm then has more talks than its target. Raises NotExcluded.
    """
    with transaction.atomic():
        participation = _locked(participation_id)
        if not Participation.objects.filter(pk=participation_id, excluded_at__isnull=False).update(
            excluded_at=None
        ):
            raise NotExcluded()
        talks = list(_complete(participation).order_by("arm_id", "ordinal"))
        back = [talk.pk for talk in talks if not talk.holds_slot and _take_again(talk)]
        Conversation.objects.filter(pk__in=back).update(holds_slot=True)
        moved = Moved(talks=len(talks), slots=len(back))
    logger.info("worker brought back", extra={"participation": participation_id, "talks": moved.talks})
    return moved


def _locked(participation_id: UUID) -> Participation:
    """The participation as it stands while its study is locked, so that no talk of it begins meanwhile."""
    study = Participation.objects.values_list("study", flat=True).get(pk=participation_id)
    Study.objects.select_for_update().get(pk=study)
    return Participation.objects.select_related("worker").get(pk=participation_id)


def _complete(participation: Participation) -> QuerySet[Conversation]:
    return participation.conversations.filter(state=Conversation.State.COMPLETE)


def _field(simulated: bool) -> str:
    return "simulated_taken" if simulated else "taken"


def _take_again(talk: Conversation) -> bool:
    arms = Arm.objects.filter(pk=talk.arm_id)
    if not talk.simulated:
        arms = arms.filter(taken__lt=F("target"))
    field = _field(talk.simulated)
    return bool(arms.update(**{field: F(field) + 1}))
