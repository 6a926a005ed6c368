"""How often each model got each rating.

Shapes: N ratings, M models, A axes, V values or bins.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from analysis.statistics.means import Floats, Integers, Scale

#: A scale with more whole numbers, or ratings between them, is cut into so many bins of one width.
MOST_VALUES, BINS = 11, 10


@dataclass(frozen=True, slots=True)
class Distribution:
    """Ratings by value, or by bin: ``count`` is (M, A, V), ``labels`` name the values from low to high."""

    labels: tuple[str, ...]
    count: Integers

    def share(self) -> Floats:
        """Of each model's ratings on an axis, 0 to 1, (M, A, V); NaN without ratings."""
        whole = self.count.sum(axis=2, keepdims=True)
        with np.errstate(invalid="ignore"):
            return self.count / whole


def distribution(
    score: Floats, model: Integers, axis: Integers, shape: tuple[int, int], scale: Scale
) -> Distribution:
    """Count ratings; the first three have one entry a rating, ``shape`` is (M, A).

    A bin holds its lower end; the last one its upper end too.
    """
    whole = bool((score == np.round(score)).all()) and scale.low == round(scale.low)
    if whole and scale.width < MOST_VALUES:
        values = int(scale.width) + 1
        place = (score - scale.low).astype(np.int64)
        labels = tuple(f"{scale.low + k:g}" for k in range(values))
    else:
        values = BINS
        # As decimals, so that a rating of 1.4 stands in the bin that is called so.
        ends = [round(scale.low + scale.width * k / BINS, 12) for k in range(BINS + 1)]
        place = np.searchsorted(ends[1:-1], score, side="right").astype(np.int64)
        labels = tuple(f"{low:g} to {high:g}" for low, high in pairwise(ends))
    cell = (model * shape[1] + axis) * values + place
    count = np.bincount(cell, minlength=shape[0] * shape[1] * values).reshape(*shape, values)
    return Distribution(labels, count)
