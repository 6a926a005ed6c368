"""Which model and which context a worker gets next.

Slots are taken by guarded updates (``... SET taken = taken + 1 WHERE taken < target``) in the transaction that
creates the talk, so that parallel starters can never overfill an arm: a count that was read before proves
nothing.
"""

from __future__ import annotations

import logging
import random
from collections import Counter
from collections.abc import Iterable, Iterator

from django.db import transaction
from django.db.models import Count, F, Max, Q
from django.utils import timezone

from chat import load
from chat.errors import CapReached, PartnersAway, StudyFull, StudyNotOpen, WrongStep
from chat.models import Arm, Conversation, Participation, SeedContext, Study
from modelhub.serving import health

logger = logging.getLogger(__name__)


def start_talk(participation: Participation) -> Conversation:
    """The worker's live talk, or a new one with the arm and context that are due.

    Raises WrongStep without consent, StudyNotOpen, CapReached, StudyFull, PartnersAway.
    """
    with transaction.atomic():
        study = Study.objects.select_for_update().get(pk=participation.study_id)
        participation = Participation.objects.select_related("worker").get(pk=participation.pk)
        if live := participation.conversations.filter(state__in=Conversation.LIVE).first():
            return live
        _check_may_start(study, participation)
        _take_from_cap(participation)
        arm = _take_slot(participation)
        conversation = Conversation.objects.create(
            participation=participation,
            arm=arm,
            context=next_context(arm, participation),
            ordinal=_next_ordinal(participation),
            simulated=participation.worker.simulated,
            last_activity_at=timezone.now(),
        )
    logger.info("talk started", extra={"talk": conversation.pk, "participation": participation.pk})
    return conversation


def _check_may_start(study: Study, participation: Participation) -> None:
    if participation.state != Participation.State.CONSENTED or participation.excluded_at:
        raise WrongStep()
    if not study.is_open:
        raise StudyNotOpen()


def _take_from_cap(participation: Participation) -> None:
    """Count the talk against the worker's cap over all arms."""
    taken = Participation.objects.filter(pk=participation.pk, talks_taken__lt=F("talks_cap")).update(
        talks_taken=F("talks_taken") + 1
    )
    if not taken:
        raise CapReached()
    participation.refresh_from_db(fields=["talks_taken"])


def _next_ordinal(participation: Participation) -> int:
    """Every talk begun has its own; ``talks_taken`` is less when talks failed. The study's row is locked."""
    last = participation.conversations.aggregate(last=Max("ordinal"))["last"]
    return (last or 0) + 1


def _take_slot(participation: Participation) -> Arm:
    """Take a slot of the first arm that still has one and whose model answers, in the order in which arms are due."""
    due = list(arms_due(participation))
    for arm in arms_that_answer(due):
        if _take(arm, simulated=participation.worker.simulated):
            return arm
    raise PartnersAway() if due else StudyFull()


def arms_that_answer(arms: Iterable[Arm]) -> list[Arm]:
    """Those whose model is neither sick, nor refused by its workers, nor overloaded.

    The others keep their room. They are the least filled when they are back, and so they are due first.
    """
    away = health.unavailable()
    return [arm for arm in arms if arm.revision_id not in away and not load.is_full(arm.revision_id)]


def _take(arm: Arm, *, simulated: bool) -> bool:
    if simulated:
        return bool(Arm.objects.filter(pk=arm.pk).update(simulated_taken=F("simulated_taken") + 1))
    return bool(Arm.objects.filter(pk=arm.pk, taken__lt=F("target")).update(taken=F("taken") + 1))


def give_back(conversation: Conversation) -> None:
    """Return the slot of a talk that ended without counting; call once, in the transaction that ends it.

    A talk that failed by the site's fault goes back to the worker's cap too. Rows are locked in the order in
    which a start takes them.
    """
    if conversation.state == Conversation.State.FAILED:
        Participation.objects.filter(pk=conversation.participation_id).update(
            talks_taken=F("talks_taken") - 1
        )
    field = "simulated_taken" if conversation.simulated else "taken"
    Arm.objects.filter(pk=conversation.arm_id).update(**{field: F(field) - 1})


def arms_due(participation: Participation) -> Iterator[Arm]:
    """Arms with room: those that this worker saw least first, then the least filled, then by a seeded draw.

    Every talk begun counts as seen, whatever became of it. Filled is the share of the target that running
    and finished talks take. Two queries.
    """
    simulated = participation.worker.simulated
    begun = participation.conversations.order_by().values_list("arm_id", flat=True)
    seen = Counter(begun)
    arms = Arm.objects.filter(study=participation.study_id)
    if not simulated:
        arms = arms.filter(taken__lt=F("target"))
    draw = random.Random(f"{participation.study.seed}:{participation.pk}:{participation.talks_taken}")

    def order(arm: Arm) -> tuple[int, float, float]:
        taken = arm.simulated_taken if simulated else arm.taken
        return seen[arm.pk], taken / max(arm.target, 1), draw.random()

    yield from sorted(arms, key=order)


def next_context(arm: Arm, participation: Participation) -> SeedContext:
    """The context used least in this arm (by people or by simulated workers, each for themselves), among those
    that this worker saw least; ties go by ordinal. One query.
    """
    of_kind = Q(conversations__arm=arm, conversations__simulated=participation.worker.simulated)
    return (
        SeedContext.objects.filter(study=arm.study_id)
        .annotate(
            seen=Count("conversations", filter=Q(conversations__participation=participation)),
            used=Count("conversations", filter=of_kind),
        )
        .order_by("seen", "used", "ordinal")[:1]
        .get()
    )
