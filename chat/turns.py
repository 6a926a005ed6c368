"""What a worker does in a talk: say, finish, report, come back.

``replies`` has what is said to them, ``endings`` how talks end; nothing else writes messages or changes talks.
Events and tasks leave on commit and are built from stored rows.
"""

from __future__ import annotations

import logging
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone

from chat import asking, background, load, rules, statements
from chat.errors import (
    MessageNotFound,
    MessageRefused,
    NotYourTurn,
    PartnerBusy,
    TalkNotFound,
    TalkOver,
    TooEarly,
)
from chat.events import MessageEvent
from chat.models import Conversation, Message, Refusal, Report
from chat.replies import take_until
from chat.standing import event_of
from chat.typing_dynamics import TypingDynamics

logger = logging.getLogger(__name__)


def say(
    conversation_id: UUID,
    participation_id: UUID,
    text: str,
    client_id: str,
    typing: TypingDynamics | None = None,
) -> Message:
    """Store the worker's message, perhaps with how it was typed, and ask for the reply that is now owed.

    The message's ``conversation`` is how the talk stands then. The same ``client_id`` again gives the message that
    is stored already, whatever became of the talk since. Three statements beside begin and commit, one more with
    ``typing``, which only studies that keep paradata store. Raises TalkNotFound, TalkOver, NotYourTurn, MessageRefused,
    PartnerBusy.
    """
    talk = background.talk(conversation_id)
    if talk is None or talk.participation_id != participation_id:
        raise TalkNotFound()
    try:
        _check_rules(talk, text)
        if load.is_full(talk.arm.revision_id):
            raise PartnerBusy()
        message = _store(talk, text, client_id, typing)
    except (NotYourTurn, MessageRefused, PartnerBusy, IntegrityError) as refusal:
        return _stored_or_refused(conversation_id, participation_id, client_id, refusal)
    logger.info("message stored", extra={"talk": conversation_id, "position": message.position})
    return message


def _stored_or_refused(
    conversation_id: UUID, participation_id: UUID, client_id: str, refusal: Exception
) -> Message:
    """The message that a browser sent before, with its talk as it stands; else what keeps it from being stored."""
    talk = _own_talk(conversation_id, participation_id)
    # Of two that were sent at one moment, whoever came second finds here what the first stored.
    if stored := talk.messages.filter(client_id=client_id).first():
        stored.conversation = talk
        return stored
    _check_may_speak(talk)
    if isinstance(refusal, MessageRefused):
        _count(talk, refusal.code)
    raise NotYourTurn() if isinstance(refusal, IntegrityError) else refusal


def _count(talk: Conversation, code: str) -> None:
    """One more message was refused for this; quality rules look at how often, nobody at what it said."""
    counted = Refusal.objects.filter(conversation=talk, code=code)
    if not counted.update(times=F("times") + 1):
        Refusal.objects.bulk_create([Refusal(conversation=talk, code=code)], ignore_conflicts=True)
        counted.update(times=F("times") + 1)


def _own_talk(conversation_id: UUID, participation_id: UUID, *, lock: bool = False) -> Conversation:
    """The one door to a worker's talk: checks whose it is. Raises TalkNotFound."""
    talks = Conversation.objects.select_related("participation__study", "context", "arm")
    if lock:
        talks = talks.select_for_update(of=("self",))
    try:
        return talks.get(pk=conversation_id, participation=participation_id)
    except Conversation.DoesNotExist as error:
        raise TalkNotFound() from error


def open_talk(conversation_id: UUID, participation_id: UUID) -> Conversation:
    """A worker's own talk, its row locked. Raises TalkNotFound."""
    return _own_talk(conversation_id, participation_id, lock=True)


def _check_may_speak(conversation: Conversation) -> None:
    if conversation.state != Conversation.State.CHATTING:
        raise TalkOver()
    if conversation.awaits_reply:
        raise NotYourTurn()


def _check_rules(conversation: Conversation, text: str) -> None:
    refusal = rules.check_message(
        text,
        max_words=conversation.participation.study.max_words,
        personas=conversation.context.worker_persona,
    )
    if refusal:
        raise MessageRefused(refusal.code, refusal.reason)


def _store(talk: Conversation, text: str, client_id: str, typing: TypingDynamics | None) -> Message:
    """Message, typing and owed turn, if it is the worker's move. Raises NotYourTurn, IntegrityError."""
    now = timezone.now()
    with transaction.atomic():
        advanced = statements.first(statements.ADVANCE, now, talk.pk)
        if advanced is None:
            raise NotYourTurn()
        talk.state, talk.last_position, talk.last_activity_at = Conversation.State.CHATTING, advanced[0], now
        message = Message(
            conversation=talk,
            position=talk.last_position,
            speaker=Message.Speaker.WORKER,
            text=text,
            client_id=client_id,
            created_at=now,
        )
        statements.insert_message(message)
        if typing and talk.participation.study.keeps_paradata:
            statements.insert_typing(message, typing)
        owed = statements.first(statements.INSERT_TURN, talk.pk, talk.last_position + 1, take_until(), now)
        assert owed
        transaction.on_commit(lambda: asking.ask_soon(owed[0], talk.arm.revision_id))
    return message


def finish(conversation_id: UUID, participation_id: UUID) -> Conversation:
    """Go on to rating; asking again changes nothing. Raises TalkNotFound, TalkOver, TooEarly, NotYourTurn."""
    with transaction.atomic():
        conversation = open_talk(conversation_id, participation_id)
        if conversation.state == Conversation.State.RATING:
            return conversation
        _check_may_speak(conversation)
        if conversation.worker_turns < conversation.participation.study.min_turns:
            raise TooEarly()
        conversation.state = Conversation.State.RATING
        conversation.rating_at = conversation.last_activity_at = timezone.now()
        conversation.save(update_fields=["state", "rating_at", "last_activity_at"])
    return conversation


def report(conversation_id: UUID, participation_id: UUID, position: int, reason: str) -> Report:
    """Keep the worker's word that a reply is harmful or broken; the talk goes on.

    ``reason`` is one of Report.Reason. Raises TalkNotFound, MessageNotFound.
    """
    with transaction.atomic():
        conversation = open_talk(conversation_id, participation_id)
        message = conversation.messages.filter(position=position, speaker=Message.Speaker.MODEL).first()
        if not message:
            raise MessageNotFound()
        stored, _ = Report.objects.get_or_create(message=message, reason=Report.Reason(reason))
    logger.info("reply reported", extra={"talk": conversation_id, "position": position, "reason": reason})
    return stored


def note_presence(conversation_id: UUID) -> None:
    """The worker is there and writing: the talk is not idle."""
    Conversation.objects.filter(pk=conversation_id, state__in=Conversation.LIVE).update(
        last_activity_at=timezone.now()
    )


def resume(conversation: Conversation, after: int) -> list[MessageEvent]:
    """Everything said after a position, in order; one query."""
    missed = conversation.messages.filter(position__gt=after).order_by("position")
    return [event_of(message) for message in missed]
