"""Whose work is to be judged, because they finished a talk. The mark is stored; the task is a wake-up call."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from chat import waking
from ratings.models import Judgement

logger = logging.getLogger(__name__)

JUDGE_DUE = "ratings.judge_due"
#: A wake-up call that is older was lost, or its worker.
LOST_AFTER = timedelta(seconds=60)
_asked_at = datetime.min.replace(tzinfo=UTC)


def mark_due(participation_id: UUID) -> None:
    """The worker has finished a talk. Call it in the transaction that finishes it; one statement."""
    Judgement.objects.bulk_create(
        [Judgement(participation_id=participation_id, due_since=timezone.now())],
        update_conflicts=True,
        unique_fields=["participation"],
        update_fields=["due_since"],
    )
    transaction.on_commit(ask)


def ask_again() -> bool:
    """Wake a worker when somebody has been due for too long, once in that time; whether it was needed. One query."""
    global _asked_at
    now = timezone.now()
    if now - _asked_at < LOST_AFTER or not Judgement.objects.filter(due_since__lt=now - LOST_AFTER).exists():
        return False
    _asked_at = now
    ask()
    return True


def ask() -> None:
    """Wake a worker. When the queue is away the sweeper does it later."""
    if not waking.wake(JUDGE_DUE):
        logger.warning("the queue cannot be reached; the sweeper asks again")
