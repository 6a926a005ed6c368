"""A crowd's tally in lines for a person."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from ratings.simulation.crowd import Tally

PROBLEMS_SHOWN = 10


def percentile(values: Sequence[float], percent: float) -> float:
    """The nearest-rank percentile: the smallest value that at least ``percent`` of all do not exceed."""
    ordered = sorted(values)
    rank = math.ceil(len(ordered) * percent / 100)
    return ordered[max(0, rank - 1)] if ordered else math.nan


def summary(tally: Tally, workers: int, seconds: float) -> Iterator[str]:
    """What was done, in a few lines."""
    if tally.stopped:
        left = tally.talks_begun - tally.talks_rated
        yield f"Stopped. {left} talks were left in the middle; the site frees them by itself."
    yield f"{workers} simulated workers, {seconds:.0f} s"
    yield f"talks      {tally.talks_rated} rated of {tally.talks_planned} planned"
    yield f"messages   {tally.messages} sent, {len(tally.reply_ms)} replies"
    if tally.reply_ms:
        p50, p95 = percentile(tally.reply_ms, 50), percentile(tally.reply_ms, 95)
        yield f"reply      p50 {p50:.0f} ms, p95 {p95:.0f} ms, longest {max(tally.reply_ms):.0f} ms"
    if tally.asked_again:
        yield f"asked      {tally.asked_again} times for frames that were late"
    if tally.refused:
        yield "refused    " + ", ".join(f"{code} {count}" for code, count in sorted(tally.refused.items()))
    yield f"codes      {tally.codes}"
    if tally.problems:
        yield f"{len(tally.problems)} workers could not finish:"
        yield from (f"  {problem}" for problem in tally.problems[:PROBLEMS_SHOWN])
