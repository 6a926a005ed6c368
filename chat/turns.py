"""Every write of a message, and every change of a talk that follows from one.

A state changes by a conditional update whose count is looked at, so that of two that race one wins and the
other does nothing. Slots go back in the transaction that ends the talk. Events and tasks leave on commit and
are built from stored rows.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from chat import assignment, rules, tasks
from chat.errors import (
    MessageNotFound,
    MessageRefused,
    NotYourTurn,
    TalkNotFound,
    TalkOver,
    TooEarly,
    WrongStep,
)
from chat.events import MessageEvent, Notice, Phase, State, Typing, publish_on_commit, stamp
from chat.models import Conversation, Message, Report, Study, Turn
from modelhub.dialogue import Reply

logger = logging.getLogger(__name__)

OWED = (Turn.State.ASKED, Turn.State.RUNNING)
ENDINGS = {
    Conversation.State.ABANDONED: "This conversation was closed because nothing was written for a long time.",
    Conversation.State.FAILED: "We are sorry: your partner cannot be reached. This conversation has ended, and it "
    "is not your fault.",
    Conversation.State.WITHDRAWN: "You have left this conversation.",
}


# --- What a worker does -------------------------------------------------------------------------------------------


def say(conversation_id: UUID, participation_id: UUID, text: str, client_id: str) -> Message:
    """Store the worker's message and ask for the reply that is now owed.

    The same ``client_id`` again gives the message that is stored already, whatever became of the talk since.
    Raises TalkNotFound, TalkOver, NotYourTurn, MessageRefused.
    """
    with transaction.atomic():
        conversation = open_talk(conversation_id, participation_id)
        if stored := conversation.messages.filter(client_id=client_id).first():
            return stored
        position = _position_for_worker(conversation)
        _check_rules(conversation, text)
        message = conversation.messages.create(
            position=position, speaker=Message.Speaker.WORKER, text=text, client_id=client_id
        )
        turn = conversation.turns.create(position=position + 1, lease_until=_lease())
        _touch(conversation.pk)
        publish_on_commit(conversation.pk, event_of(message), state_of(conversation), position=position)
        transaction.on_commit(lambda: tasks.ask(turn.pk))
    logger.info("talk %s: message %s of the worker", conversation_id, position)
    return message


def open_talk(conversation_id: UUID, participation_id: UUID) -> Conversation:
    """The one door to a worker's talk: checks whose it is and locks its row. Raises TalkNotFound."""
    try:
        return (
            Conversation.objects.select_for_update(of=("self",))
            .select_related("participation__study", "context")
            .get(pk=conversation_id, participation=participation_id)
        )
    except Conversation.DoesNotExist as error:
        raise TalkNotFound() from error


def _position_for_worker(conversation: Conversation) -> int:
    """Where the worker's next message stands. Raises TalkOver, NotYourTurn."""
    if conversation.state != Conversation.State.CHATTING:
        raise TalkOver()
    last = conversation.messages.order_by("position").last()
    if last and last.speaker == Message.Speaker.WORKER:
        raise NotYourTurn()
    return last.position + 1 if last else 1


def _check_rules(conversation: Conversation, text: str) -> None:
    refusal = rules.check_message(
        text,
        max_words=conversation.participation.study.max_words,
        personas=conversation.context.worker_persona,
    )
    if refusal:
        raise MessageRefused(refusal.code, refusal.reason)


def finish(conversation_id: UUID, participation_id: UUID) -> None:
    """Go on to rating; asking again changes nothing. Raises TalkNotFound, TalkOver, TooEarly, NotYourTurn."""
    with transaction.atomic():
        conversation = open_talk(conversation_id, participation_id)
        if conversation.state == Conversation.State.RATING:
            return
        position = _position_for_worker(conversation) - 1
        if worker_turns(conversation) < conversation.participation.study.min_turns:
            raise TooEarly()
        _begin_rating(conversation)
        publish_on_commit(conversation.pk, state_of(conversation), position=position)


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
    logger.info("talk %s: message %s reported as %s", conversation_id, position, reason)
    return stored


def note_presence(conversation_id: UUID) -> None:
    """The worker is there and writing: the talk is not idle."""
    _touch(conversation_id)


def resume(conversation: Conversation, after: int) -> list[MessageEvent]:
    """Everything said after a position, in order; one query."""
    missed = conversation.messages.filter(position__gt=after).order_by("position")
    return [event_of(message) for message in missed]


# --- What a serving worker does -----------------------------------------------------------------------------------


def claim(turn_id: int) -> Turn | None:
    """Take a turn under a lease; None when it is not owed, or another holds it."""
    now = timezone.now()
    free = Q(state=Turn.State.ASKED) | Q(state=Turn.State.RUNNING, lease_until__lt=now)
    with transaction.atomic():
        conversation = _talk_of_turn(turn_id)
        if conversation is None or conversation.state != Conversation.State.CHATTING:
            return None
        # Own columns alone: with a join, PostgreSQL would test the second of two racing updates on a stale row.
        claimed = Turn.objects.filter(free, pk=turn_id, attempt__lt=settings.TURN_ATTEMPTS).update(
            state=Turn.State.RUNNING, attempt=F("attempt") + 1, started_at=now, lease_until=_lease()
        )
        if not claimed:
            return None
        turn = Turn.objects.select_related("conversation__arm", "conversation__context").get(pk=turn_id)
        publish_on_commit(turn.conversation_id, Typing(), position=turn.position - 1)
    return turn


def answer(turn_id: int, reply: Reply, waited_ms: int, generated_ms: int) -> Message | None:
    """Store a reply once. None, and nothing is sent, when the turn is no longer owed."""
    text = reply.text.replace("\x00", "").strip()
    if not text:
        give_up(turn_id)
        return None
    with transaction.atomic():
        conversation = _talk_of_turn(turn_id)
        if conversation is None or conversation.state != Conversation.State.CHATTING:
            return None
        answered = Turn.objects.filter(pk=turn_id, state__in=OWED).update(
            state=Turn.State.ANSWERED,
            ended_at=timezone.now(),
            lease_until=None,
            waited_ms=waited_ms,
            generated_ms=generated_ms,
        )
        if not answered:
            return None
        message = _store_reply(conversation, Turn.objects.get(pk=turn_id).position, text, reply)
    logger.info("talk %s: reply %s, waited %s ms, made in %s ms", *_logged(message, waited_ms, generated_ms))
    return message


def _store_reply(conversation: Conversation, position: int, text: str, reply: Reply) -> Message:
    message = conversation.messages.create(
        position=position, speaker=Message.Speaker.MODEL, text=text, evidence=dict(reply.evidence)
    )
    _touch(conversation.pk)
    if worker_turns(conversation) >= conversation.participation.study.max_turns:
        _begin_rating(conversation)
    publish_on_commit(conversation.pk, event_of(message), state_of(conversation), position=position)
    return message


def give_up(turn_id: int, attempt: int | None = None) -> None:
    """An attempt has failed: ask again, or fail the talk after TURN_ATTEMPTS.

    With ``attempt``, nothing happens when another attempt runs by now.
    """
    with transaction.atomic():
        conversation = _talk_of_turn(turn_id)
        if conversation is None:
            return
        running = Turn.objects.filter(pk=turn_id, state=Turn.State.RUNNING)
        if attempt is not None:
            running = running.filter(attempt=attempt)
        again = running.filter(attempt__lt=settings.TURN_ATTEMPTS)
        if again.update(state=Turn.State.ASKED, lease_until=_lease()):
            transaction.on_commit(lambda: tasks.ask(turn_id))
        elif running.exists():
            end(conversation.pk, Conversation.State.FAILED)


def _talk_of_turn(turn_id: int) -> Conversation | None:
    """The turn's talk, locked before the turn is: every write takes locks in this order."""
    return (
        Conversation.objects.select_for_update(of=("self",))
        .select_related("participation__study")
        .filter(turns=turn_id)
        .first()
    )


# --- How talks end ------------------------------------------------------------------------------------------------


def complete(conversation_id: UUID) -> None:
    """The ratings are in. Call it in the transaction that stores them. Raises WrongStep unless rating is due."""
    with transaction.atomic():
        changed = Conversation.objects.filter(pk=conversation_id, state=Conversation.State.RATING).update(
            state=Conversation.State.COMPLETE, ended_at=timezone.now()
        )
        if not changed:
            raise WrongStep()
        conversation = _with_study(conversation_id)
        publish_on_commit(conversation_id, state_of(conversation), position=last_position(conversation))
    logger.info("talk %s complete", conversation_id)


def end(conversation_id: UUID, state: Conversation.State) -> bool:
    """End a live talk without a rating: its slot goes back, its page is told. False when it was over already."""
    with transaction.atomic():
        ended = Conversation.objects.filter(pk=conversation_id, state__in=Conversation.LIVE).update(
            state=state, ended_at=timezone.now()
        )
        if not ended:
            return False
        conversation = _with_study(conversation_id)
        conversation.turns.filter(state__in=OWED).update(
            state=Turn.State.FAILED, ended_at=timezone.now(), lease_until=None
        )
        assignment.give_back(conversation)
        notice = Notice(state.value, ENDINGS[state])
        publish_on_commit(
            conversation_id, notice, state_of(conversation), position=last_position(conversation)
        )
    logger.info("talk %s %s", conversation_id, state)
    return True


def abandon_idle() -> int:
    """End talks in which nothing happened for their study's limit; gives their number."""
    now = timezone.now()
    ended = 0
    for study in Study.objects.filter(participations__conversations__state__in=Conversation.LIVE).distinct():
        idle = Conversation.objects.filter(
            arm__study=study, state__in=Conversation.LIVE, last_activity_at__lt=now - study.idle_limit
        )
        for conversation_id in idle.order_by("last_activity_at").values_list("pk", flat=True):
            ended += end(conversation_id, Conversation.State.ABANDONED)
    return ended


def ask_again() -> int:
    """Ask again for turns whose lease ran out, or that nobody took; gives their number.

    An asked turn's lease is the time by which somebody should have taken it. Each lapse is an attempt; after
    TURN_ATTEMPTS the talk fails.
    """
    lapsed = Turn.objects.filter(state__in=OWED, lease_until__lt=timezone.now())
    return sum(_ask_again(turn) for turn in lapsed.order_by("lease_until"))


def _ask_again(turn: Turn) -> bool:
    attempts = turn.attempt + (turn.state == Turn.State.ASKED)
    if attempts >= settings.TURN_ATTEMPTS:
        return end(turn.conversation_id, Conversation.State.FAILED)
    with transaction.atomic():
        taken = Turn.objects.filter(pk=turn.pk, state=turn.state, lease_until=turn.lease_until).update(
            state=Turn.State.ASKED, attempt=attempts, lease_until=_lease()
        )
        if taken:
            logger.warning("turn %s is asked again, attempt %s", turn.pk, attempts + 1)
            transaction.on_commit(lambda: tasks.ask(turn.pk))
    return bool(taken)


# --- Reading ------------------------------------------------------------------------------------------------------


def state_of(conversation: Conversation) -> State:
    """Where a talk stands, for its page; two queries beside the study's."""
    study = conversation.participation.study
    said = worker_turns(conversation)
    phase = _phase(conversation)
    return State(
        phase=phase,
        turn=said,
        of=study.min_turns,
        words=study.max_words,
        may_finish=phase == Phase.YOURS and said >= study.min_turns,
    )


def _phase(conversation: Conversation) -> Phase:
    match conversation.state:
        case Conversation.State.CHATTING:
            last = conversation.messages.order_by("position").last()
            waiting = last is not None and last.speaker == Message.Speaker.WORKER
            return Phase.PARTNER if waiting else Phase.YOURS
        case Conversation.State.RATING:
            return Phase.RATING
        case Conversation.State.COMPLETE:
            return Phase.COMPLETE
    return Phase.ENDED


def worker_turns(conversation: Conversation) -> int:
    """How many messages the worker has said; one query."""
    return conversation.messages.filter(speaker=Message.Speaker.WORKER).count()


def last_position(conversation: Conversation) -> int:
    """The position of the last message, 0 before the first; one query."""
    last = conversation.messages.order_by("position").values_list("position", flat=True).last()
    return last or 0


def event_of(message: Message) -> MessageEvent:
    """A stored message as its page gets it: without evidence."""
    return MessageEvent(
        position=message.position,
        speaker="you" if message.speaker == Message.Speaker.WORKER else "partner",
        text=message.text,
        at=stamp(message.created_at),
    )


# --- Shared steps -------------------------------------------------------------------------------------------------


def _begin_rating(conversation: Conversation) -> None:
    changed = Conversation.objects.filter(pk=conversation.pk, state=Conversation.State.CHATTING).update(
        state=Conversation.State.RATING, rating_at=timezone.now(), last_activity_at=timezone.now()
    )
    if changed:
        conversation.state = Conversation.State.RATING


def _with_study(conversation_id: UUID) -> Conversation:
    return Conversation.objects.select_related("participation__study").get(pk=conversation_id)


def _touch(conversation_id: UUID) -> None:
    Conversation.objects.filter(pk=conversation_id, state__in=Conversation.LIVE).update(
        last_activity_at=timezone.now()
    )


def _lease() -> datetime:
    return timezone.now() + timedelta(seconds=settings.TURN_LEASE_S)


def _logged(message: Message, waited_ms: int, generated_ms: int) -> tuple[object, ...]:
    return message.conversation_id, message.position, waited_ms, generated_ms
