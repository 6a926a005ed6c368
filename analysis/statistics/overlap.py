"""Do workers agree on the talks that several of them rated? Krippendorff's alpha of an overlap sample.

Only talks that at least two workers rated on an axis tell anything; others are left out. Shapes: N ratings, A axes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis.statistics.agreement import Agreement, Metric, krippendorff_alpha, value_counts
from analysis.statistics.means import LEVEL, Floats, Integers

METRICS = (Metric.ORDINAL, Metric.INTERVAL)


@dataclass(frozen=True, slots=True)
class Overlap:
    """``talks`` that several workers rated, by ``workers`` in all, and for each axis alpha by metric."""

    talks: int
    workers: int
    alphas: tuple[dict[Metric, Agreement], ...]


def overlap(
    worker: Integers,
    talk: Integers,
    axis: Integers,
    score: Floats,
    axes: int,
    level: float = LEVEL,
    seed: int = 0,
) -> Overlap:
    """From one entry a rating, (N,); the first three count from 0. Limits are from a bootstrap over talks."""
    shared = _is_shared(worker, talk)
    worker, talk, axis = worker[shared], talk[shared], axis[shared]
    score = score[shared]
    return Overlap(
        talks=len(np.unique(talk)),
        workers=len(np.unique(worker)),
        alphas=tuple(_alphas(talk[axis == a], score[axis == a], level, seed) for a in range(axes)),
    )


def _is_shared(worker: Integers, talk: Integers) -> NDArray[np.bool_]:
    """Whether each rating's talk was rated by another worker too, (N,)."""
    some = np.zeros(int(talk.max(initial=-1)) + 1, dtype=np.int64)
    some[talk] = worker  # any one of a talk's workers
    others = np.bincount(talk, weights=worker != some[talk], minlength=len(some)) > 0
    return others[talk]


def _alphas(talk: Integers, score: Floats, level: float, seed: int) -> dict[Metric, Agreement]:
    _, unit = np.unique(talk, return_inverse=True)
    values, value = np.unique(score, return_inverse=True)
    counts = value_counts(
        unit.astype(np.int64), value.astype(np.int64), int(unit.max(initial=-1)) + 1, len(values)
    )
    return {metric: krippendorff_alpha(counts, metric, values, level=level, seed=seed) for metric in METRICS}
