"""How fast a talk's sockets may send. No Django here."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from time import monotonic


class Bucket:
    """A token bucket: ``burst`` frames at once, ``rate`` a second in the long run.

    A client that goes on after ``patience`` refusals without a pause is flooding.
    """

    def __init__(
        self, burst: int = 20, rate: float = 5.0, patience: int = 40, clock: Callable[[], float] = monotonic
    ) -> None:
        self._burst, self._rate, self._patience, self._clock = burst, rate, patience, clock
        self._tokens = float(burst)
        self._at = clock()
        self._refused = 0

    def take(self) -> bool:
        """Whether one more frame is within the limit."""
        now = self._clock()
        self._tokens = min(self._burst, self._tokens + (now - self._at) * self._rate)
        self._at = now
        if self._tokens >= self._burst:
            self._refused = 0
        if self._tokens < 1:
            self._refused += 1
            return False
        self._tokens -= 1
        return True

    @property
    def is_flooded(self) -> bool:
        """Refusals went on although each said to slow down; only a full pause forgives them."""
        return self._refused > self._patience


class Buckets:
    """One bucket a talk in this process, so that opening a new socket wins nothing.

    Those used longest ago are forgotten first: a talk of theirs has long had its pause.
    """

    def __init__(self, most: int = 10_000) -> None:
        self._most = most
        self._buckets: OrderedDict[Hashable, Bucket] = OrderedDict()

    def of(self, key: Hashable) -> Bucket:
        bucket = self._buckets.setdefault(key, Bucket())
        self._buckets.move_to_end(key)
        while len(self._buckets) > self._most:
            self._buckets.popitem(last=False)
        return bucket
