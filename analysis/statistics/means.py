"""Means of ratings with intervals that know that one worker gives many ratings.

Everything is computed from a worker x model x axis table of counts, sums and sums of squares, for all cells
at once. Shapes: W workers, M models, A axes.

The default interval is Wilson's score interval (Wilson 1927) for the mean placed between the ends of the
scale, with the effective number of ratings that follows from the cluster-robust variance CR2 (Bell and
McCaffrey 2002) and with Satterthwaite's degrees of freedom (Pustejovsky and Tipton 2018). For a cell's mean,
CR2 and its degrees of freedom have closed forms.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

LEVEL = 0.95
#: A sum of residuals below this share of the ratings that it is made of is rounding.
ROUNDING = 1e-10


class Gap(StrEnum):
    """Why a cell has no interval."""

    NONE = ""
    NO_RATINGS = "no_ratings"
    ONE_RATING = "one_rating"
    ONE_WORKER = "one_worker"
    NO_SPREAD = "no_spread"


@dataclass(frozen=True, slots=True)
class Scale:
    """The ends of a rating scale."""

    low: float = 1.0
    high: float = 5.0

    def __post_init__(self) -> None:
        if not (self.low < self.high and math.isfinite(self.width)):
            raise ValueError(
                f"the scale runs from {self.low:g} to {self.high:g}; two numbers are expected, the lower one first, "
                "such as 1 5"
            )

    @property
    def width(self) -> float:
        return self.high - self.low


PAPER_SCALE = Scale()


@dataclass(frozen=True, slots=True)
class WorkerTable:
    """Counts, sums and sums of squares of ratings; each (W, M, A)."""

    count: Floats
    total: Floats
    squares: Floats


@dataclass(frozen=True, slots=True)
class Cells:
    """What is known of each model on each axis; each (M, A).

    ``error`` is the CR2 standard error of the mean and ``df`` its Satterthwaite degrees of freedom. Where
    ``gap`` names a reason, both are NaN; ``mean`` is NaN without ratings, ``sd`` below two.
    """

    n: Integers
    workers: Integers
    mean: Floats
    sd: Floats
    error: Floats
    df: Floats
    gap: NDArray[np.object_]


@dataclass(frozen=True, slots=True)
class Intervals:
    """Lower and upper limits, each (M, A); NaN where there is no interval."""

    low: Floats
    high: Floats


def tabulate(
    worker: Integers, model: Integers, axis: Integers, score: Floats, shape: tuple[int, int, int]
) -> WorkerTable:
    """Sum ratings into a table of ``shape`` (W, M, A).

    The four arrays have one entry a rating; the first three count from 0.
    """
    cell = np.ravel_multi_index((worker, model, axis), shape) if len(score) else np.zeros(0, dtype=np.int64)
    size = int(np.prod(shape))

    def summed(weights: Floats | None) -> Floats:
        return np.bincount(cell, weights=weights, minlength=size).astype(float).reshape(shape)

    return WorkerTable(count=summed(None), total=summed(score), squares=summed(np.square(score)))


def summarise(table: WorkerTable) -> Cells:
    """Means, spreads and CR2 errors of all cells.

    With C_g and S_g a worker's count and sum and n the number of ratings: e_g = S_g - C_g mean,
    h_g = 1 - C_g / n, b_g = C_g^2 / h_g; the variance of the mean is sum(e_g^2 / h_g) / n^2 and
    df = n^2 / (sum C_g^2 + ((sum b_g)^2 - sum b_g^2) / n^2).
    """
    count, n = table.count, table.count.sum(axis=0)
    total, workers = table.total.sum(axis=0), (table.count > 0).sum(axis=0)
    gap = _gaps(n, workers)
    usable = gap == Gap.NONE
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = total / n
        leverage = 1 - count / n
        variance = np.where(count > 0, residuals(table) ** 2 / leverage, 0).sum(axis=0) / n**2
        df = _satterthwaite(count, leverage, n)
        spread = _spread(table.squares.sum(axis=0) * n, total**2) / (n * (n - 1))
    return Cells(
        n=n.astype(np.int64),
        workers=workers.astype(np.int64),
        mean=np.where(n > 0, mean, np.nan),
        sd=np.where(n > 1, np.sqrt(np.where(n > 1, spread, 0)), np.nan),
        error=np.where(usable, np.sqrt(np.where(usable, variance, 0)), np.nan),
        df=np.where(usable, df, np.nan),
        gap=gap,
    )


def residuals(table: WorkerTable) -> Floats:
    """What each worker's ratings of a cell come to above as many times its mean, (W, M, A).

    Times n first, so that whole-number ratings without any variance give exactly zero; fractions are given it.
    """
    n, total = table.count.sum(axis=0), table.total.sum(axis=0)
    apart = table.total * n - table.count * total
    size = n * np.sqrt(table.count * table.squares)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(np.abs(apart) > ROUNDING * size, apart / n, 0)


def wilson_cr2(cells: Cells, scale: Scale = PAPER_SCALE, level: float = LEVEL) -> Intervals:
    """The default interval: Wilson's, with n_eff = p (1 - p) / (variance on the unit scale).

    Without variance n_eff is the number of workers. Never leaves the scale.
    """
    z2 = _quantile(cells.df, level) ** 2
    p = np.clip((cells.mean - scale.low) / scale.width, 0, 1)
    with np.errstate(divide="ignore", invalid="ignore"):
        effective = np.where(
            cells.error > 0, p * (1 - p) / (cells.error / scale.width) ** 2, cells.workers.astype(float)
        )
        middle = (p + z2 / (2 * effective)) / (1 + z2 / effective)
        half = np.sqrt(z2 * (p * (1 - p) / effective + z2 / (4 * effective**2))) / (1 + z2 / effective)
    known = cells.gap == Gap.NONE
    low, high = np.clip(middle - half, 0, 1), np.clip(middle + half, 0, 1)
    return Intervals(
        low=np.where(known, scale.low + scale.width * low, np.nan),
        high=np.where(known, scale.low + scale.width * high, np.nan),
    )


def t_cr2(cells: Cells, level: float = LEVEL) -> Intervals:
    """Mean plus and minus t times the CR2 error; can leave the scale."""
    half = _quantile(cells.df, level) * cells.error
    return Intervals(low=cells.mean - half, high=cells.mean + half)


def cr1_error(table: WorkerTable) -> Floats:
    """The cluster-robust error CR1 of each mean, (M, A): no leverage, but a factor G / (G - 1) for G workers.

    Liang and Zeger 1986 with the usual correction; NaN where there are fewer than two workers.
    """
    n, workers = table.count.sum(axis=0), (table.count > 0).sum(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        variance = (residuals(table) ** 2).sum(axis=0) / n**2 * workers / (workers - 1)
    return np.where(workers > 1, np.sqrt(np.where(workers > 1, variance, 0)), np.nan)


def t_cr1(cells: Cells, error: Floats, level: float = LEVEL) -> Intervals:
    """Mean plus and minus t with G - 1 degrees of freedom times the CR1 error."""
    workers = np.where(cells.workers > 1, cells.workers, np.nan)
    half = _quantile(workers - 1, level) * error
    return Intervals(low=cells.mean - half, high=cells.mean + half)


def t_plain(cells: Cells, level: float = LEVEL) -> Intervals:
    """Student's interval, as if every rating came from another worker: too narrow where workers repeat."""
    n = np.where(cells.n > 1, cells.n, np.nan)
    half = _quantile(n - 1, level) * cells.sd / np.sqrt(n)
    return Intervals(low=cells.mean - half, high=cells.mean + half)


def bold(cells: Cells, intervals: Intervals) -> NDArray[np.bool_]:
    """The paper's rule, (M, A): the mean reaches the lower limit of the top-mean model's interval.

    Models without an interval take no part: they are neither the top nor bold. Where fewer than two models have
    one, nothing is compared and nothing is bold.
    """
    known = (cells.gap == Gap.NONE) & np.isfinite(intervals.low)
    if not len(known):
        return known
    ranked = np.where(known, cells.mean, -np.inf)
    limit = np.take_along_axis(intervals.low, ranked.argmax(axis=0)[None], axis=0)
    return known & (ranked >= limit) & (known.sum(axis=0) > 1)


def _gaps(n: Floats, workers: NDArray[np.int64]) -> NDArray[np.object_]:
    gap = np.full(n.shape, Gap.NONE, dtype=object)
    gap[workers == 1] = Gap.ONE_WORKER
    gap[n == 1] = Gap.ONE_RATING
    gap[n == 0] = Gap.NO_RATINGS
    return gap


def _spread(squares: Floats, of_total: Floats) -> Floats:
    """What is left is rounding where it is a share of 1e-12."""
    apart = squares - of_total
    return np.where(apart > 1e-12 * squares, apart, 0)


def _satterthwaite(count: Floats, leverage: Floats, n: Floats) -> Floats:
    b = np.where(count > 0, count**2 / leverage, 0)
    return n**2 / ((count**2).sum(axis=0) + (b.sum(axis=0) ** 2 - (b**2).sum(axis=0)) / n**2)


def _quantile(df: Floats, level: float) -> Floats:
    """Student's two-sided quantile; NaN stays NaN."""
    return stdtrit(df, (1 + level) / 2)
