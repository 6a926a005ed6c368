"""The reply that is owed, as a Celery task. A task that is lost is asked again; one that runs twice stores once."""

from __future__ import annotations

import logging

from celery import shared_task
from kombu.exceptions import OperationalError

logger = logging.getLogger(__name__)

#: Enough to get over a connection that a restarted queue has dropped; the asker is a person who waits.
RETRY = {"max_retries": 2, "interval_start": 0, "interval_step": 0.1, "interval_max": 0.1}


def ask(turn_id: int) -> None:
    """Put a turn on the queue. When the queue is down, the sweeper asks again later; nothing is lost."""
    try:
        answer_turn.apply_async((turn_id,), retry=True, retry_policy=RETRY)
    except OperationalError:
        logger.warning("the queue cannot be reached; turn %s waits for the sweeper", turn_id)


@shared_task(name="chat.answer_turn")
def answer_turn(turn_id: int) -> None:
    """Answer a turn that is still owed."""
    # Services and the engine import this module's callers, or torch.
    from chat import turns
    from modelhub.serving.engine import engine

    turn = turns.claim(turn_id)
    if turn is None:
        return
    try:
        made = engine().reply(turn.conversation.arm.revision_id, turn.conversation.dialogue())
    except Exception:
        # Whatever an agent throws, the person on the other side gets another attempt or an honest end.
        logger.exception("turn %s: attempt %s failed", turn_id, turn.attempt)
        turns.give_up(turn_id, turn.attempt)
        return
    turns.answer(turn_id, made.reply, made.waited_ms, made.generated_ms)
