"""What the database says, asked a few times a second by a process and not for each turn."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

from django.db import Error

log = logging.getLogger(__name__)

Answer = TypeVar("Answer")


class Fresh(Generic[Answer]):
    """A question's last answer, asked anew when it is older than ``for_s`` seconds. Safe to use from several threads.

    While one thread asks, others take what was known before, and so does everybody while the database is away. Only
    the first answer is waited for, and raises what asking raises.
    """

    def __init__(self, ask: Callable[[], Answer], for_s: float) -> None:
        self._ask = ask
        self._for_s = for_s
        self._lock = threading.Lock()
        self.forget()

    def forget(self) -> None:
        """Ask anew next time, and wait for the answer."""
        self._known: list[Answer] = []
        self._until = 0.0

    def __call__(self) -> Answer:
        known = self._known
        if known and time.monotonic() < self._until:
            return known[0]
        if not self._lock.acquire(blocking=not known):
            return known[0]
        try:
            return self._known[0] if self._known and time.monotonic() < self._until else self._anew()
        finally:
            self._lock.release()

    def _anew(self) -> Answer:
        try:
            self._known = [self._ask()]
        except Error:
            if not self._known:
                raise
            log.warning("the database does not answer; what it said before counts on", exc_info=True)
        self._until = time.monotonic() + self._for_s
        return self._known[0]
