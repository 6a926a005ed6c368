"""A reply's way: taken up by a serving worker, stored once, perhaps held until it is due, or given up.

Every state changes by a conditional update whose count is looked at, so that of two that race one wins and the
other does nothing. Locks are taken in one order: the talk, then its turn.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import InterfaceError, OperationalError, transaction
from django.db.models import F, Q
from django.utils import timezone

from chat import asking, background, metrics, statements
from chat.delivery import Deliverer
from chat.endings import end, tried
from chat.events import publish_on_commit
from chat.models import Conversation, Message, Turn
from chat.standing import event_of, state_of
from chat.together import Together
from modelhub.dialogue import Dialogue, Reply, Speaker, Utterance

logger = logging.getLogger(__name__)

#: An asked turn that nobody takes is asked again later and later, but at least this often.
LONGEST_TAKE_S = 40.0
#: How long a turn waits that its worker had no room for.
PUT_BACK_S = 0.3
#: Past due by more than this, a held reply's worker must have died.
OVERDUE_S = 1.0


@dataclass(frozen=True, slots=True)
class _Made:
    """A reply with its times, as a held turn keeps it."""

    text: str
    evidence: dict[str, Any]
    queued_ms: int
    generated_ms: int


def take_until(asked_again: int = 0) -> datetime:
    """By when somebody should have taken a turn that was asked again so often."""
    wait_s = min(settings.TURN_TAKE_S * 2**asked_again, LONGEST_TAKE_S)
    return timezone.now() + timedelta(seconds=wait_s)


# --- What a serving worker does -----------------------------------------------------------------------------------


def claim(turn_id: int) -> Turn | None:
    """Take a turn under a lease; None when it is not owed, or another holds it.

    The turn comes with its conversation, and that with its arm and context, so that ``dialogue()`` asks for the
    messages alone. One statement, and a query for a talk that is new to this process.
    """
    now = timezone.now()
    lease_until = now + timedelta(seconds=settings.TURN_LEASE_S)
    claimed = statements.first(statements.CLAIM, now, lease_until, turn_id, settings.TURN_ATTEMPTS, now)
    if claimed is None:
        return None
    conversation_id, position, attempt, asked_at = claimed
    return Turn(
        pk=turn_id,
        conversation=background.talk(statements.talk_id(conversation_id)),
        position=position,
        state=Turn.State.RUNNING,
        attempt=attempt,
        asked_at=statements.moment(asked_at),
        started_at=now,
        lease_until=lease_until,
    )


def dialogues(claimed: Sequence[Turn]) -> list[Dialogue]:
    """What has been said in each turn's talk, for an agent; one query for all."""
    said: dict[UUID, list[Utterance]] = {turn.conversation_id: [] for turn in claimed}
    messages = Message.objects.filter(conversation__in=list(said)).order_by("conversation_id", "position")
    for talk_id, speaker, text in messages.values_list("conversation_id", "speaker", "text"):
        said[talk_id].append(Utterance(Speaker(speaker), text))
    return [turn.conversation.as_dialogue(said[turn.conversation_id]) for turn in claimed]


@dataclass(frozen=True, slots=True)
class Answer:
    """What ``answer`` is told of one turn."""

    turn_id: int
    reply: Reply
    waited_ms: int
    generated_ms: int


def claim_all(turn_ids: Sequence[int]) -> list[Turn | None]:
    """``claim`` for many in one transaction; rows are locked in one order, whoever else does the same."""
    with transaction.atomic():
        found = {turn_id: claim(turn_id) for turn_id in sorted(set(turn_ids))}
    return [found.pop(turn_id, None) for turn_id in turn_ids]


def answer_all(answers: Sequence[Answer]) -> list[Message | None]:
    """``answer`` for many in one transaction; rows are locked in one order, whoever else does the same."""
    shown: dict[int, Message | None] = {}
    with transaction.atomic():
        for given in sorted(answers, key=lambda given: given.turn_id):
            if given.turn_id not in shown:
                shown[given.turn_id] = answer(given.turn_id, given.reply, given.waited_ms, given.generated_ms)
    return [shown.pop(given.turn_id, None) for given in answers]


DATABASE_AWAY = (OperationalError, InterfaceError)
#: For the threads of a worker: what comes while one is at the database goes there together.
claim_together: Together[int, Turn | None] = Together(claim_all, of_all=DATABASE_AWAY)
answer_together: Together[Answer, Message | None] = Together(answer_all, of_all=DATABASE_AWAY)


def answer(turn_id: int, reply: Reply, waited_ms: int, generated_ms: int) -> Message | None:
    """Store a reply once: shown at once, or held when it is earlier than the study's floor.

    ``waited_ms`` counts from the claim to the batch. None when nothing is shown now: the reply is held, is
    empty, or is no longer owed.
    """
    text = reply.text.replace("\x00", "").strip()
    if not text:
        give_up(turn_id)
        return None
    with transaction.atomic():
        turn = _locked(turn_id)
        if turn is None or turn.state not in Turn.OWED:
            return None
        made = _Made(text, dict(reply.evidence), _asked_ms(turn) + waited_ms, generated_ms)
        due_at = turn.asked_at + turn.conversation.participation.study.reply_floor
        if timezone.now() >= due_at:
            return _show(turn, made, held_ms=0)
        _hold(turn, made, due_at)
    return None


def _locked(turn_id: int) -> Turn | None:
    """The turn of a talk that goes on, with talk and study; the talk is locked."""
    found = statements.locked(turn_id)
    if found is None:
        return None
    conversation_id, position, state, attempt, asked_at, started_at, ended_at, reply, last_position = found
    talk = background.talk(statements.talk_id(conversation_id))
    assert talk
    talk.state, talk.last_position = Conversation.State.CHATTING, last_position
    return Turn(
        pk=turn_id,
        conversation=talk,
        position=position,
        state=state,
        attempt=attempt,
        asked_at=statements.moment(asked_at),
        started_at=started_at and statements.moment(started_at),
        ended_at=ended_at and statements.moment(ended_at),
        reply=statements.document(reply),
    )


def _asked_ms(turn: Turn) -> int:
    """From the stored message to the claim of the attempt that runs."""
    return _ms(turn.started_at - turn.asked_at) if turn.started_at else 0


def _ms(duration: timedelta) -> int:
    return max(0, round(duration / timedelta(milliseconds=1)))


def _hold(turn: Turn, made: _Made, due_at: datetime) -> None:
    held = Turn.objects.filter(pk=turn.pk, state__in=Turn.OWED).update(
        state=Turn.State.HELD, reply=asdict(made), due_at=due_at, ended_at=timezone.now(), lease_until=None
    )
    if held:
        transaction.on_commit(lambda: deliverer().at(due_at, turn.pk))


def deliver(turn_id: int) -> Message | None:
    """Show a held reply. None when another has, or the talk is over."""
    with transaction.atomic():
        turn = _locked(turn_id)
        if turn is None or turn.state != Turn.State.HELD:
            return None
        assert turn.reply and turn.ended_at
        return _show(turn, _Made(**turn.reply), held_ms=_ms(timezone.now() - turn.ended_at))


def _show(turn: Turn, made: _Made, held_ms: int) -> Message | None:
    """Store the message and what follows from it, if the turn is still as it was read; three statements."""
    now = timezone.now()
    ending = statements.END_HELD if turn.state == Turn.State.HELD else statements.END_OWED
    if not statements.run(ending, now, turn.pk):
        return None
    message = Message(
        conversation=turn.conversation,
        position=turn.position,
        speaker=Message.Speaker.MODEL,
        held_ms=held_ms,
        created_at=now,
        **asdict(made),
    )
    statements.insert_message(message)
    _advance(turn.conversation, turn.position, now)
    publish_on_commit(
        turn.conversation_id, event_of(message), state_of(turn.conversation), position=turn.position
    )
    times = {"queued_ms": made.queued_ms, "generated_ms": made.generated_ms, "held_ms": held_ms}
    logger.info("reply shown", extra={"talk": turn.conversation_id, "position": turn.position, **times})
    return message


def _advance(talk: Conversation, position: int, now: datetime) -> None:
    """After the last turn the rating begins."""
    talk.last_position, talk.last_activity_at, talk.rating_at = position, now, None
    if talk.worker_turns >= talk.participation.study.max_turns:
        talk.state, talk.rating_at = Conversation.State.RATING, now
    statements.run(statements.REPLIED, position, now, talk.state, talk.rating_at, talk.pk)


def give_up(turn_id: int, attempt: int | None = None) -> None:
    """An attempt has failed: ask again, or fail the talk after TURN_ATTEMPTS.

    With ``attempt``, nothing happens when another attempt runs by now.
    """
    with transaction.atomic():
        turn = _locked(turn_id)
        if turn is None:
            return
        running = Turn.objects.filter(pk=turn_id, state=Turn.State.RUNNING)
        if attempt is not None:
            running = running.filter(attempt=attempt)
        again = running.filter(attempt__lt=settings.TURN_ATTEMPTS)
        if again.update(state=Turn.State.ASKED, lease_until=take_until()):
            metrics.ASKED_AGAIN.inc()
            transaction.on_commit(lambda: asking.ask_soon(turn_id, turn.conversation.arm.revision_id))
        elif running.exists():
            end(turn.conversation_id, Conversation.State.FAILED)


def put_back(turn: Turn) -> None:
    """A claimed turn that its worker had no room for: asked again in a moment, and the attempt does not count."""
    was_put = Turn.objects.filter(pk=turn.pk, state=Turn.State.RUNNING, attempt=turn.attempt).update(
        state=Turn.State.ASKED, attempt=F("attempt") - 1, lease_until=take_until()
    )
    if was_put:
        asking.ask(turn.pk, turn.conversation.arm.revision_id, after_s=PUT_BACK_S)


# --- What the sweeper does ----------------------------------------------------------------------------------------


def ask_again() -> int:
    """Ask again for turns that nobody took in time or whose worker is silent; gives their number.

    Only attempts that ran count. A turn that has run TURN_ATTEMPTS times, or is owed for TURN_LIMIT_S, ends its
    talk. While the queue is away nothing changes, so that all is asked as soon as it is back.
    """
    now = timezone.now()
    late = Q(asked_at__lt=now - timedelta(seconds=settings.TURN_LIMIT_S))
    owed = Turn.objects.filter(Q(lease_until__lt=now) | late, state__in=Turn.OWED)
    done = 0
    queue_is_there = True
    for turn in owed.select_related("conversation__arm").order_by("asked_at"):
        if _is_hopeless(turn, now):
            done += tried(_fail, turn)
        elif queue_is_there:
            queue_is_there = asking.ask(turn.pk, turn.conversation.arm.revision_id)
            done += queue_is_there and _note_asked(turn)
    return done


def _is_hopeless(turn: Turn, now: datetime) -> bool:
    is_spent = turn.state == Turn.State.RUNNING and turn.attempt >= settings.TURN_ATTEMPTS
    return is_spent or turn.asked_at < now - timedelta(seconds=settings.TURN_LIMIT_S)


def _fail(turn: Turn) -> bool:
    """End the turn's talk, unless something happened to the turn since it was read."""
    with transaction.atomic():
        if _locked(turn.pk) is None:
            return False
        # Asked only now: what a joined row holds may be older than the lock that was waited for.
        if not Turn.objects.filter(pk=turn.pk, state=turn.state, lease_until=turn.lease_until).exists():
            return False
        logger.warning("turn given up", extra={"turn": turn.pk, "attempts": turn.attempt})
        return end(turn.conversation_id, Conversation.State.FAILED)


def _note_asked(turn: Turn) -> bool:
    """A worker may be faster: then the turn runs, and nothing is noted."""
    asked_again = turn.asked_again + (turn.state == Turn.State.ASKED)
    noted = Turn.objects.filter(pk=turn.pk, state=turn.state, lease_until=turn.lease_until).update(
        state=Turn.State.ASKED, asked_again=asked_again, lease_until=take_until(asked_again)
    )
    metrics.ASKED_AGAIN.inc()
    logger.warning("turn asked again", extra={"turn": turn.pk, "attempts": turn.attempt})
    return bool(noted)


def deliver_overdue() -> int:
    """Show held replies whose worker has died; gives their number."""
    overdue = Turn.objects.filter(
        state=Turn.State.HELD, due_at__lt=timezone.now() - timedelta(seconds=OVERDUE_S)
    )
    due = overdue.order_by("due_at").values_list("pk", flat=True)
    return sum(tried(deliver, turn_id) for turn_id in due)


# --- The process's deliverer --------------------------------------------------------------------------------------

_deliverer: Deliverer | None = None
_deliverer_lock = threading.Lock()


def deliverer() -> Deliverer:
    global _deliverer
    with _deliverer_lock:
        if _deliverer is None:
            _deliverer = Deliverer(deliver)
        return _deliverer
