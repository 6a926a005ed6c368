"""Nearly the same text in several talks, of one worker or of several: a signal for people to look at. Pure.

Messages are cut into shingles of four words (Broder 1997). The two smallest hash values of a message's shingles are
its sketch; messages that share one are compared, and are nearly the same when at least ``ALIKE`` of their shingles are.
What very many workers say alike is a commonplace and no sign of copying.
"""

from __future__ import annotations

import zlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from chat.rules import normalise
from ratings.quality.evidence import Flag, Place

#: Shorter messages are alike by chance.
FEWEST_WORDS = 8
SHINGLE = 4
SKETCH = 2
ALIKE = 0.6
#: What more workers than this say is a commonplace.
COMMONPLACE = 20


@dataclass(frozen=True, slots=True)
class Source:
    """Where a message comes from: numbers of its worker and talk, and its position."""

    worker: int
    talk: UUID
    position: int


class Sketches:
    """Collects messages of a whole study, then tells which are nearly the same as one of another talk.

    Columns of numbers and texts, not objects: those of a batch go from one process to another.
    """

    def __init__(self) -> None:
        self._talks: list[UUID] = []
        # Of each message: its worker, its talk's number and its position.
        self._workers: list[int] = []
        self._talk_numbers: list[int] = []
        self._positions: list[int] = []
        self._texts: list[str] = []
        # Of each value of a sketch: the message.
        self._values: list[int] = []
        self._owners: list[int] = []

    def add(self, source: Source, text: str) -> None:
        words = normalise(text).split()
        if len(words) < FEWEST_WORDS:
            return
        own = len(self._texts)
        if not self._talks or self._talks[-1] != source.talk:
            self._talks.append(source.talk)
        self._workers.append(source.worker)
        self._talk_numbers.append(len(self._talks) - 1)
        self._positions.append(source.position)
        self._texts.append(" ".join(words))
        for value in sorted(shingles(words))[:SKETCH]:
            self._values.append(value)
            self._owners.append(own)

    def extend(self, others: Sketches, workers: int) -> None:
        """Take in the messages of other workers, whose numbers go on from ``workers``."""
        own, talks = len(self._texts), len(self._talks)
        self._talks.extend(others._talks)
        self._workers.extend(workers + each for each in others._workers)
        self._talk_numbers.extend(talks + each for each in others._talk_numbers)
        self._positions.extend(others._positions)
        self._texts.extend(others._texts)
        self._values.extend(others._values)
        self._owners.extend(own + each for each in others._owners)

    def copies(self) -> Iterator[tuple[Source, Source]]:
        """Pairs of messages of different talks that are nearly the same, each message with the first it is like."""
        told: set[int] = set()
        for members in self._groups():
            if len({self._workers[m] for m in members}) <= COMMONPLACE:
                yield from self._pairs(members, told)

    def _source(self, message: int) -> Source:
        return Source(self._workers[message], self._talk_of(message), self._positions[message])

    def _talk_of(self, message: int) -> UUID:
        return self._talks[self._talk_numbers[message]]

    def _groups(self) -> Iterator[list[int]]:
        """Messages that share a value of their sketch, in the order in which they came."""
        values: NDArray[np.uint32] = np.array(self._values, dtype=np.uint32)
        order = np.argsort(values, kind="stable")
        bounds = np.flatnonzero(np.diff(values[order])) + 1
        for start, end in pairwise([0, *bounds, len(order)]):
            if end - start > 1:
                yield [self._owners[i] for i in order[start:end]]

    def _pairs(self, members: Sequence[int], told: set[int]) -> Iterator[tuple[Source, Source]]:
        for later, member in enumerate(members):
            if member in told:
                continue
            for earlier in members[:later]:
                if self._talk_of(earlier) != self._talk_of(member) and self._alike(earlier, member):
                    told.add(member)
                    yield self._source(member), self._source(earlier)
                    break

    def _alike(self, one: int, other: int) -> bool:
        a, b = shingles(self._texts[one].split()), shingles(self._texts[other].split())
        return len(a & b) >= ALIKE * len(a | b)


def shingles(words: Sequence[str]) -> set[int]:
    """The hash values of every run of four words."""
    return {zlib.crc32(" ".join(words[i : i + SHINGLE]).encode()) for i in range(len(words) - SHINGLE + 1)}


def copied_text(
    workers: Sequence[tuple[UUID, int]], copies: Iterable[tuple[Source, Source]], fewest: float
) -> dict[UUID, Flag]:
    """Workers at least ``fewest`` of whose messages are nearly a message of another talk; both sides are named.

    ``workers`` has everybody's participation and number of messages. The numbers tell how many are like messages of
    other workers and how many like their own of other talks.
    """
    found: dict[int, list[tuple[Source, Source]]] = defaultdict(list)
    for copy, first in copies:
        found[copy.worker].append((copy, first))
        if first.worker != copy.worker:
            found[first.worker].append((first, copy))
    return {
        workers[worker][0]: _flag(worker, workers[worker][1], pairs)
        for worker, pairs in found.items()
        if len({copy for copy, _ in pairs}) >= fewest
    }


def _flag(worker: int, messages: int, pairs: Sequence[tuple[Source, Source]]) -> Flag:
    found = {copy for copy, _ in pairs}
    foreign = {copy for copy, other in pairs if other.worker != worker}
    places = dict.fromkeys(Place(each.talk, each.position) for pair in pairs for each in pair)
    numbers = {
        "messages": messages,
        "found": len(found),
        "like_others": len(foreign),
        "like_own": len(found - foreign),
    }
    return Flag("copied_text", numbers, tuple(places))
