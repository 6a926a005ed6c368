"""Planned looks are taken as talks finish. What is due follows from the talks there are; tasks are wake-up calls."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from functools import partial

from django.db import transaction
from django.utils import timezone

from analysis.models import StudyPlan
from analysis.planning import standing
from chat import waking
from chat.models import Conversation, Study

logger = logging.getLogger(__name__)

TAKE_LOOK = "analysis.take_look"
#: A wake-up call that is older was lost, or its worker.
LOST_AFTER = timedelta(seconds=60)
_looked_at = datetime.min.replace(tzinfo=UTC)


def talk_complete(conversation: Conversation) -> None:
    """A talk was rated. Call it in the transaction that stores the ratings."""
    if not conversation.simulated:
        transaction.on_commit(partial(ask_if_due, conversation.participation.study))


def ask_if_due(study: Study) -> bool:
    """Wake a worker if a look of the study is due; whether one is. One query, three for a study with a plan."""
    plan = standing.plan_of(study)
    if plan is None:
        return False
    due = standing.look_due(plan, standing.looks_of(plan), standing.talks_by_arm(study))
    if due:
        ask(study)
    return bool(due)


def ask_again() -> int:
    """Wake a worker for each look that is due and was not taken, once in a while; how many there are."""
    global _looked_at
    now = timezone.now()
    if now - _looked_at < LOST_AFTER:
        return 0
    _looked_at = now
    planned = Study.objects.filter(pk__in=StudyPlan.objects.values("study")).exclude(state=Study.State.DRAFT)
    return sum(ask_if_due(study) for study in planned)


def ask(study: Study) -> None:
    """Wake a worker. When the queue is away the sweeper does it later."""
    if not waking.wake(TAKE_LOOK, study.pk):
        logger.warning("the queue cannot be reached; the sweeper asks again")
