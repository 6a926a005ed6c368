"""What waits for one model, and which of it goes together.

A batch is padded to its longest, so it takes the oldest that waits and those most like it in length. Who is passed
over goes into the next batch whatever its length: nobody is passed over twice.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

Item = TypeVar("Item")


@dataclass(slots=True, eq=False)
class _Place(Generic[Item]):
    item: Item
    length: int
    came_at: float
    was_passed_over: bool = False


class Waiting(Generic[Item]):
    """A bounded queue that hands out batches of ``size``, or what has come ``wait_s`` seconds after the oldest did."""

    def __init__(self, *, size: int, wait_s: float, bound: int, length_of: Callable[[Item], int]) -> None:
        self.bound = bound
        self._size = size
        self._wait_s = wait_s
        self._length_of = length_of
        self._places: list[_Place[Item]] = []
        self._changed = threading.Condition()
        self._closed = False

    def __len__(self) -> int:
        return len(self._places)

    def put(self, item: Item) -> bool:
        """False where as many wait as may."""
        place = _Place(item, self._length_of(item), time.monotonic())
        with self._changed:
            if len(self._places) >= self.bound:
                return False
            self._places.append(place)
            self._changed.notify()
        return True

    def take(self) -> list[Item] | None:
        """Block until a batch is there; None when the queue is closed and empty."""
        with self._changed:
            while not self._is_due():
                if self._closed:
                    return None
                self._changed.wait(self._left_s())
            return [place.item for place in self._batch()]

    def close(self) -> None:
        """Hand out what is there, then None."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _is_due(self) -> bool:
        if not self._places:
            return False
        return self._closed or len(self._places) >= self._size or self._left_s() == 0

    def _left_s(self) -> float | None:
        if not self._places:
            return None
        return max(0.0, self._places[0].came_at + self._wait_s - time.monotonic())

    def _batch(self) -> list[_Place[Item]]:
        """Take a batch out, in the order in which it came."""
        oldest = self._places[0].length
        ranked = sorted(
            range(len(self._places)),
            key=lambda n: (
                n > 0,
                not self._places[n].was_passed_over,
                abs(self._places[n].length - oldest),
                n,
            ),
        )
        chosen = sorted(ranked[: self._size])
        batch = [self._places[n] for n in chosen]
        for place in self._places[: chosen[-1]]:
            place.was_passed_over = True
        taken = set(chosen)
        self._places = [place for n, place in enumerate(self._places) if n not in taken]
        return batch
