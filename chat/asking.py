"""Asking the workers for replies that are owed. A call that is lost is made again by the sweeper.

What answers is ``chat.tasks.answer_turns``; it is called by its name, since it stands on services that ask.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence

from celery import current_app
from django.conf import settings
from kombu.exceptions import OperationalError as QueueAway

from chat.gathering import Gathering
from modelhub.serving import routing

logger = logging.getLogger(__name__)

ANSWER_TURNS = "chat.answer_turns"
#: Enough to get over a connection that a restarted queue has dropped; the asker is a person who waits.
RETRY = {"max_retries": 2, "interval_start": 0, "interval_step": 0.1, "interval_max": 0.1}
#: Between two rounds of asking: what comes meanwhile is one task a model. Nobody notices so little.
ASKING_PAUSE_S = 0.015
#: A queue that is away is not asked again for so long: each try takes a web process's one database thread.
AWAY_S = 1.0
_away_until = 0.0


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
        current_app.send_task(
            ANSWER_TURNS,
            (list(turn_ids),),
            queue=queue,
            countdown=after_s or None,
            retry=True,
            retry_policy=RETRY,
            ignore_result=True,
        )
    except QueueAway:
        logger.warning("the queue cannot be reached; the sweeper asks again", extra={"turns": list(turn_ids)})
        _away_until = time.monotonic() + AWAY_S
        return False
    return True
