"""What is sent by many threads goes out together: at once after a pause, and else with all that came since.

A queue takes hardly longer for a message about ten turns than for one about a single turn, and so does a worker. Who
comes alone does not wait for others.
"""

from __future__ import annotations

import atexit
import logging
import threading
from collections import defaultdict
from collections.abc import Callable, Hashable, Sequence
from typing import Generic, TypeVar

logger = logging.getLogger(__name__)

Key = TypeVar("Key", bound=Hashable)
Item = TypeVar("Item")

#: How long a process that ends lets its last items go out.
FAREWELL_S = 2.0


class Gathering(Generic[Key, Item]):
    """``send`` gets a key and what was put under it since, in its order; a thread of its own calls it.

    ``pause_s`` lies between two rounds of sending. What ``send`` raises is logged and costs these items.
    """

    def __init__(self, send: Callable[[Key, Sequence[Item]], object], pause_s: float) -> None:
        self._send = send
        self._pause_s = pause_s
        self._waiting: defaultdict[Key, list[Item]] = defaultdict(list)
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._ending = threading.Event()

    def put(self, key: Key, item: Item) -> None:
        """Let an item be sent; returns at once."""
        with self._changed:
            self._waiting[key].append(item)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="gathering", daemon=True)
                self._thread.start()
                atexit.register(self.end)
            self._changed.notify()

    def end(self) -> None:
        """Send what is there without further pauses, and stop."""
        self._ending.set()
        with self._changed:
            self._changed.notify()
            thread = self._thread
        if thread:
            thread.join(FAREWELL_S)

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting or self._ending.is_set())
                waiting, self._waiting = self._waiting, defaultdict(list)
            for key, items in waiting.items():
                self._sent(key, items)
            if self._ending.is_set() and not self._waiting:
                return
            self._ending.wait(self._pause_s)

    def _sent(self, key: Key, items: Sequence[Item]) -> None:
        try:
            self._send(key, items)
        except Exception:
            logger.exception("could not be sent", extra={"items": len(items)})
