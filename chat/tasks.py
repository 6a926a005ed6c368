"""The reply that is owed, as a Celery task. A task that is lost is asked again; one that runs twice stores once."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from functools import partial

from celery import shared_task
from django.db import InterfaceError, OperationalError, close_old_connections
from kombu.exceptions import OperationalError as QueueAway

from modelhub.errors import EngineBusy
from modelhub.serving import health, routing

logger = logging.getLogger(__name__)

#: Enough to get over a connection that a restarted queue has dropped; the asker is a person who waits.
RETRY = {"max_retries": 2, "interval_start": 0, "interval_step": 0.1, "interval_max": 0.1}

#: With the waits for a connection in all below a turn's lease, after which it is asked again anyway.
STORE_AGAIN_S = (0.5, 1.0, 2.0)


#: A queue that is away is not asked again for so long: each try takes a web process's one database thread.
AWAY_S = 1.0
_away_until = 0.0


def ask(turn_id: int, revision_id: int, *, after_s: float = 0) -> bool:
    """Put a turn on the queue of those who hold its model.

    When the queue is away, False: the sweeper asks again, and nothing is lost.
    """
    global _away_until
    if time.monotonic() < _away_until:
        return False
    try:
        answer_turn.apply_async(
            (turn_id,),
            queue=routing.queue_of(revision_id),
            countdown=after_s or None,
            retry=True,
            retry_policy=RETRY,
        )
    except QueueAway:
        logger.warning("the queue cannot be reached; the sweeper asks again", extra={"turn": turn_id})
        _away_until = time.monotonic() + AWAY_S
        return False
    return True


@shared_task(name="chat.answer_turn")
def answer_turn(turn_id: int) -> None:
    """Answer a turn that is still owed."""
    # Services and the engine import this module's callers, or torch.
    from chat import replies
    from modelhub.serving.engine import engine

    turn = replies.claim_together(turn_id)
    if turn is None:
        return
    revision_id = turn.conversation.arm.revision_id
    try:
        made = engine().reply(revision_id, turn.conversation.dialogue())
    except EngineBusy:
        replies.put_back(turn)
        return
    except Exception as error:
        # Whatever an agent throws, the person on the other side gets another attempt or an honest end.
        logger.exception("an attempt failed", extra={"turn": turn_id, "attempt": turn.attempt})
        health.attempt_failed(revision_id, error)
        replies.give_up(turn_id, turn.attempt)
        return
    answer = replies.Answer(turn_id, made.reply, made.waited_ms, made.generated_ms)
    _through_a_restart(partial(replies.answer_together, answer))
    health.succeeded(revision_id)


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
