"""The replies that are owed, as Celery tasks. A task that is lost is asked again; one that runs twice stores once."""

from __future__ import annotations

import logging
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from celery import shared_task
from django.conf import settings
from django.db import InterfaceError, OperationalError, close_old_connections
from kombu.exceptions import OperationalError as QueueAway

from chat.gathering import Gathering
from modelhub.errors import EngineBusy
from modelhub.serving import health, routing

if TYPE_CHECKING:
    from chat.models import Turn
    from modelhub.serving.engine import Answer

logger = logging.getLogger(__name__)

#: Enough to get over a connection that a restarted queue has dropped; the asker is a person who waits.
RETRY = {"max_retries": 2, "interval_start": 0, "interval_step": 0.1, "interval_max": 0.1}
#: Between two rounds of asking: what comes meanwhile is one task a model. Nobody notices so little.
ASKING_PAUSE_S = 0.015

#: With the waits for a connection in all below a turn's lease, after which it is asked again anyway.
STORE_AGAIN_S = (0.5, 1.0, 2.0)

#: A queue that is away is not asked again for so long: each try takes a web process's one database thread.
AWAY_S = 1.0
_away_until = 0.0


# --- Asking -------------------------------------------------------------------------------------------------------


def ask(turn_id: int, revision_id: int, *, after_s: float = 0) -> bool:
    """Put a turn on the queue of those who hold its model.

    When the queue is away, False: the sweeper asks again, and nothing is lost.
    """
    return _put([turn_id], routing.queue_of(revision_id), after_s)


def ask_soon(turn_id: int, revision_id: int) -> None:
    """``ask`` together with others of its model; returns at once."""
    _asking.put((routing.queue_of(revision_id), revision_id), turn_id)


def _put_all(key: tuple[str, int], turn_ids: Sequence[int]) -> None:
    queue, _ = key
    for start in range(0, len(turn_ids), settings.TURNS_A_TASK):
        _put(turn_ids[start : start + settings.TURNS_A_TASK], queue)


_asking: Gathering[tuple[str, int], int] = Gathering(_put_all, ASKING_PAUSE_S)


def _put(turn_ids: Sequence[int], queue: str, after_s: float = 0) -> bool:
    global _away_until
    if time.monotonic() < _away_until:
        return False
    try:
        answer_turns.apply_async(
            (list(turn_ids),), queue=queue, countdown=after_s or None, retry=True, retry_policy=RETRY
        )
    except QueueAway:
        logger.warning("the queue cannot be reached; the sweeper asks again", extra={"turns": list(turn_ids)})
        _away_until = time.monotonic() + AWAY_S
        return False
    return True


# --- Answering ----------------------------------------------------------------------------------------------------


@shared_task(name="chat.answer_turns")
def answer_turns(turn_ids: Sequence[int]) -> None:
    """Answer those of some turns that are still owed."""
    # Services import this module.
    from chat import replies

    of_revision: dict[int, list[Turn]] = defaultdict(list)
    for turn in replies.claim_together.all(turn_ids):
        if turn is not None:
            of_revision[turn.conversation.arm.revision_id].append(turn)
    for revision_id, turns in of_revision.items():
        _answer(revision_id, turns)


def _answer(revision_id: int, turns: Sequence[Turn]) -> None:
    """Let a model answer claimed turns; what fails for one of them costs the others nothing."""
    from chat import replies

    outcomes = list(zip(turns, _outcomes(revision_id, turns), strict=True))
    made = [
        replies.Answer(turn.pk, outcome.reply, outcome.waited_ms, outcome.generated_ms)
        for turn, outcome in outcomes
        if not isinstance(outcome, Exception)
    ]
    if made:
        _through_a_restart(partial(replies.answer_together.all, made))
        health.succeeded(revision_id)
    for turn, outcome in outcomes:
        if isinstance(outcome, EngineBusy):
            replies.put_back(turn)
        elif isinstance(outcome, Exception):
            _failed(revision_id, turn, outcome)


def _outcomes(revision_id: int, turns: Sequence[Turn]) -> Sequence[Answer | Exception]:
    """An answer for each turn, or why there is none."""
    from chat import replies
    from modelhub.serving.engine import engine  # which imports torch

    try:
        return engine().replies(revision_id, replies.dialogues(turns))
    except Exception as error:
        return [error for _ in turns]


def _failed(revision_id: int, turn: Turn, error: Exception) -> None:
    """Whatever an agent throws, the person on the other side gets another attempt or an honest end."""
    from chat import replies

    about = {"turn": turn.pk, "attempt": turn.attempt}
    logger.error("an attempt failed", extra=about, exc_info=error)
    health.attempt_failed(revision_id, error)
    replies.give_up(turn.pk, turn.attempt)


def _through_a_restart(store: Callable[[], object]) -> None:
    """Try again while the database is away for a moment: a reply that is made should not be made anew."""
    for wait_s in STORE_AGAIN_S:
        try:
            store()
            return
        except (OperationalError, InterfaceError):
            logger.warning("a reply could not be stored; trying again", extra={"wait_s": wait_s})
            close_old_connections()
            time.sleep(wait_s)
    store()
