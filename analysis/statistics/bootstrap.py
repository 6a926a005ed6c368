"""The cluster bootstrap: workers are drawn with replacement, each with all ratings that they gave.

Nothing is resampled rating by rating: a replicate's counts and sums are the worker table weighted by how often each
worker was drawn, so that all replicates are products of matrices (Cameron, Gelbach and Miller 2008, on pairs
cluster bootstrap).

Shapes: B replicates, W workers, M models, A axes.
"""

from __future__ import annotations

import numpy as np

from analysis.statistics.means import LEVEL, Floats, Intervals, WorkerTable

REPLICATES = 2_000
#: Replicates that are multiplied at once; bounds the memory, 8 bytes a worker each.
AT_ONCE = 25


def bootstrap_means(table: WorkerTable, replicates: int = REPLICATES, seed: int = 0) -> Floats:
    """Means of resampled workers, (B, M, A); NaN where nobody who rated the cell was drawn.

    The same seed gives the same replicates. Differences of models are taken within a replicate.
    """
    _, models, axes = table.count.shape
    used = np.flatnonzero(table.count.any(axis=(1, 2)))
    sums = np.concatenate(
        [part[used].reshape(len(used), models * axes) for part in (table.count, table.total)], axis=1
    )
    generator = np.random.default_rng(seed)
    drawn = np.empty((replicates, sums.shape[1]))
    for begin in range(0, replicates, AT_ONCE):
        rows = slice(begin, min(begin + AT_ONCE, replicates))
        drawn[rows] = draws(generator, rows.stop - rows.start, len(used)) @ sums
    count, total = np.split(drawn, 2, axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        return (total / count).reshape(replicates, models, axes)


def draws(generator: np.random.Generator, replicates: int, units: int) -> Floats:
    """How often each of ``units`` is drawn in ``units`` draws with replacement, (B, units)."""
    chosen = (
        generator.integers(0, units, (replicates, units))
        if units
        else np.zeros((replicates, 0), dtype=np.int64)
    )
    shifted = chosen + np.arange(replicates)[:, None] * units
    counts = np.bincount(shifted.ravel(), minlength=replicates * units)
    return counts.reshape(replicates, units).astype(float)


def percentile(replicates: Floats, level: float = LEVEL) -> Intervals:
    """Percentile limits over the first axis (Efron and Tibshirani 1993, chapter 13).

    Replicates that are NaN are left out. Where all are the same, as with a single worker, there is no interval.
    """
    tail = (1 - level) / 2
    known = ~np.isnan(replicates)
    varies = known.any(axis=0)
    filled = np.where(varies, replicates, 0.0)
    low, high = (np.nanquantile(filled, share, axis=0) for share in (tail, 1 - tail))
    varies &= np.nanmax(filled, axis=0) > np.nanmin(filled, axis=0)
    return Intervals(low=np.where(varies, low, np.nan), high=np.where(varies, high, np.nan))
