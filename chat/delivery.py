"""Held replies are shown when they are due, to a few milliseconds: one thread sleeps until the next one is."""

from __future__ import annotations

import heapq
import logging
import threading
from collections.abc import Callable
from datetime import datetime

from django.db import close_old_connections
from django.utils import timezone

logger = logging.getLogger(__name__)


class Deliverer:
    """Calls ``deliver(turn_id)`` at the time given for each turn, on a thread that starts with the first.

    What fails is left to the sweeper, as are the turns of a process that has died.
    """

    def __init__(self, deliver: Callable[[int], object]) -> None:
        self._deliver = deliver
        self._due: list[tuple[datetime, int]] = []
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None

    def at(self, due_at: datetime, turn_id: int) -> None:
        """Deliver a turn at a time; at once when that is past."""
        with self._changed:
            heapq.heappush(self._due, (due_at, turn_id))
            self._changed.notify()
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._run, name="reply-delivery", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        while True:
            turn_id = self._next()
            try:
                self._deliver(turn_id)
            except Exception:
                logger.exception("a reply was not delivered; the sweeper will", extra={"turn": turn_id})
            finally:
                close_old_connections()

    def _next(self) -> int:
        """Sleep until a turn is due."""
        with self._changed:
            while True:
                left_s = (self._due[0][0] - timezone.now()).total_seconds() if self._due else None
                if left_s is not None and left_s <= 0:
                    return heapq.heappop(self._due)[1]
                self._changed.wait(left_s)
