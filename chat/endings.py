"""How talks end: rated, or early. Slots go back in the transaction that ends the talk."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from django.db import InterfaceError, OperationalError, transaction
from django.utils import timezone

from chat import assignment
from chat.errors import WrongStep
from chat.events import publish_on_commit
from chat.models import Conversation, Study, Turn
from chat.standing import standing_of

logger = logging.getLogger(__name__)


def complete(conversation_id: UUID) -> None:
    """The ratings are in. Call it in the transaction that stores them. Raises WrongStep unless rating is due."""
    with transaction.atomic():
        changed = Conversation.objects.filter(pk=conversation_id, state=Conversation.State.RATING).update(
            state=Conversation.State.COMPLETE, ended_at=timezone.now()
        )
        if not changed:
            raise WrongStep()
        _publish_standing(conversation_id)
    logger.info("talk complete", extra={"talk": conversation_id})


def end(conversation_id: UUID, state: Conversation.State, *, idle_since: datetime | None = None) -> bool:
    """End a live talk without a rating: its slot goes back, its page is told. False when it was over already.

    With ``idle_since``, also False when something happened in it after that time.
    """
    live = Conversation.objects.filter(pk=conversation_id, state__in=Conversation.LIVE)
    if idle_since:
        live = live.filter(last_activity_at__lt=idle_since)
    with transaction.atomic():
        if not live.update(state=state, ended_at=timezone.now()):
            return False
        Turn.objects.filter(conversation=conversation_id, state__in=Turn.OPEN).update(
            state=Turn.State.FAILED, ended_at=timezone.now(), lease_until=None
        )
        assignment.give_back(_publish_standing(conversation_id))
    logger.info("talk ended", extra={"talk": conversation_id, "state": str(state)})
    return True


def _publish_standing(conversation_id: UUID) -> Conversation:
    conversation = Conversation.objects.select_related("participation__study").get(pk=conversation_id)
    publish_on_commit(conversation_id, *standing_of(conversation), position=conversation.last_position)
    return conversation


def abandon_idle() -> int:
    """End talks in which nothing happened for their study's limit; gives their number."""
    now = timezone.now()
    ended = 0
    for study in Study.objects.filter(participations__conversations__state__in=Conversation.LIVE).distinct():
        idle = Conversation.objects.filter(
            arm__study=study, state__in=Conversation.LIVE, last_activity_at__lt=now - study.idle_limit
        )
        for conversation_id in idle.order_by("last_activity_at").values_list("pk", flat=True):
            idle_since = now - study.idle_limit
            ended += tried(end, conversation_id, Conversation.State.ABANDONED, idle_since=idle_since)
    return ended


def tried(act: Callable[..., object], *args: object, **named: object) -> bool:
    """Whether a sweep's act on one row did something. A row at fault must not keep a sweep from the others.

    Raises what says that the database is away, which holds for every row.
    """
    try:
        return bool(act(*args, **named))
    except (OperationalError, InterfaceError):
        raise
    except Exception:
        logger.exception("a sweep passes over a row", extra={"row": str(args[0])})
        return False
