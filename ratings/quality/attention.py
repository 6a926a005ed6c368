"""Rules about attention: items that ask for a number, and talks that any attentive person would rate alike. Pure."""

from __future__ import annotations

import math

from ratings.quality.evidence import Flag, Place, TalkWork, WorkerWork

#: One slip is human.
FEWEST_WRONG = 2
#: How often somebody who reads the question still chooses another number, by a slip of hand or eye. An assumption: a
#: study's own rate is not known, as whoever slips cannot be told from who does not read.
SLIP_RATE = 0.02
#: The item's name in a place; it is no axis.
ITEM = "attention"


def attention(work: WorkerWork, share: float) -> Flag | None:
    """At least ``share`` of the worker's attention items, and at least two, were answered otherwise than asked.

    The null probability is that of somebody who reads and slips with ``SLIP_RATE`` at each item alone.
    """
    items = [talk for talk in work.talks if talk.asked is not None]
    missed = [talk for talk in items if talk.given != talk.asked]
    if not _are_too_many(len(missed), len(items), share):
        return None
    numbers = _numbers("items", len(items), len(missed))
    numbers["answers"] = ", ".join(f"{talk.given} for {talk.asked}" for talk in missed)
    places = tuple(Place(talk.talk, axis=ITEM) for talk in missed)
    return Flag("attention", numbers, places, slips_flagged(len(items), share))


def slips_flagged(items: int, share: float, rate: float = SLIP_RATE) -> float:
    """How likely somebody who slips with ``rate`` at each of ``items`` is flagged: a tail of the binomial."""
    return sum(
        math.comb(items, missed) * rate**missed * (1 - rate) ** (items - missed)
        for missed in range(items + 1)
        if _are_too_many(missed, items, share)
    )


def gold_talks(work: WorkerWork, share: float) -> Flag | None:
    """At least ``share`` of the ratings that have an expected range, and at least two, lie outside it.

    No model of honest work speaks about them: what is expected is the researcher's word.
    """
    judged = [(talk, axis) for talk in work.talks for axis in talk.expected if axis in talk.scores]
    outside = [(talk, axis) for talk, axis in judged if not _is_within(talk, axis)]
    if not _are_too_many(len(outside), len(judged), share):
        return None
    numbers = _numbers("ratings", len(judged), len(outside))
    numbers["gold_talks"] = len({talk.talk for talk, _ in judged})
    return Flag("gold_talks", numbers, tuple(Place(talk.talk, axis=axis) for talk, axis in outside))


def _is_within(talk: TalkWork, axis: str) -> bool:
    low, high = talk.expected[axis]
    return low <= talk.scores[axis] <= high


def _are_too_many(wrong: int, of: int, share: float) -> bool:
    return wrong >= max(FEWEST_WRONG, share * of)


def _numbers(what: str, of: int, wrong: int) -> dict[str, float | int | str]:
    return {what: of, "wrong": wrong, "share": wrong / of}
