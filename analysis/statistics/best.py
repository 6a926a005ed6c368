"""Which models can be the best: Hsu's multiple comparisons with the best (Hsu 1984; Edwards and Hsu 1983).

For each model an interval of its mean minus the best of the others'. A model whose upper limit is above zero can be
the best; the true best is among them with the stated confidence, however many models there are.

Shapes: M models, A axes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import chdtri, ndtr, ndtri, stdtrit
from scipy.stats import qmc

from analysis.statistics.means import LEVEL, Floats
from analysis.statistics.mixed import MixedModel

#: Points of the integral, a power of two: probabilities are within 1e-4, critical values within 1e-3.
POINTS, SEED = 4_096, 1
#: With more degrees of freedom errors count as known.
MANY = 1e7


@dataclass(frozen=True, slots=True)
class Best:
    """Constrained limits of mean minus the best other mean, each (M, A), NaN where there is no mixed model.

    ``critical`` is the one-sided Dunnett value with the model as control; ``possible`` says which can be the best.
    Models that one worker alone rated take no part.
    """

    critical: Floats
    low: Floats
    high: Floats
    possible: NDArray[np.bool_]


def compare_with_best(fitted: Sequence[MixedModel], level: float = LEVEL, *, small: bool = True) -> Best:
    """Limits for all axes at once; a fitted mixed model an axis.

    ``small`` uses Student's t with the fewest degrees of freedom of the model's contrasts; without it errors count
    as known, as in a large sample.
    """
    of_axes = [_axis(model, level, small) for model in fitted]
    critical, low, high = (np.stack(parts, axis=1) for parts in zip(*of_axes, strict=True))
    return Best(critical=critical, low=low, high=high, possible=high > 0)


def _axis(model: MixedModel, level: float, small: bool) -> tuple[Floats, Floats, Floats]:
    """Critical values and limits of one axis, each (M,)."""
    models = len(model.means)
    critical, low, high = np.full((3, models), np.nan)
    present = model.compared
    if len(present) < 2:
        return critical, low, high
    ahead, error, values = _against_each(model, present, level, small)
    reach = values[:, None] * error
    apart = ~np.eye(len(present), dtype=bool)
    above = np.min(np.where(apart, ahead + reach, np.inf), axis=1)
    # Row i, column j: i minus j, as low as j's own critical value lets it be; below 0 for every j that is possible.
    below = np.where(apart & (above > 0)[None, :], ahead - values[None, :] * error, np.inf).min(axis=1)
    critical[present] = values
    high[present] = np.maximum(above, 0)
    low[present] = np.where(np.isinf(below), 0, below)
    return critical, low, high


def _against_each(
    model: MixedModel, present: NDArray[np.int64], level: float, small: bool
) -> tuple[Floats, Floats, Floats]:
    """Differences and their errors, (m, m) of the m models present, and each one's critical value (m,)."""
    identity, m = np.eye(len(model.means)), len(present)
    ahead, error, values = np.zeros((m, m)), np.zeros((m, m)), np.zeros(m)
    for row, control in enumerate(present):
        others = np.delete(present, row)
        weights = identity[control] - identity[others]
        against = model.contrasts(weights)
        covariance = weights[:, present] @ model.covariance[np.ix_(present, present)] @ weights[:, present].T
        correlation = covariance / np.outer(against.error, against.error)
        elsewhere = np.arange(m) != row
        ahead[row, elsewhere], error[row, elsewhere] = against.estimate, against.error
        values[row] = critical_value(correlation, float(against.df.min()) if small else np.inf, level)
    return ahead, error, values


def critical_value(correlation: Floats, df: float = np.inf, level: float = LEVEL) -> float:
    """The d with P(all T_j <= d) = level for multivariate t (normal without ``df``) of this correlation (q, q).

    It lies between the value for one comparison and Bonferroni's for q.
    """
    cube, triangle = _cube(len(correlation), df), np.linalg.cholesky(correlation).astype(float)
    one, all_of_them = (float(stdtrit(min(df, MANY), 1 - (1 - level) / q)) for q in (1, len(correlation)))
    if len(correlation) == 1:
        return one
    return float(
        brentq(lambda d: _below(d, triangle, cube) - level, one - 0.01, all_of_them + 0.01, xtol=1e-9)
    )


def probability_below(d: float, correlation: Floats, df: float = np.inf) -> float:
    """P(all T_j <= d), to about 1e-4, always with the same points."""
    return _below(d, np.linalg.cholesky(correlation).astype(float), _cube(len(correlation), df))


@dataclass(frozen=True, slots=True)
class _Cube:
    """Points of the unit cube (q, N), and what the limits of t are multiplied with at each (N,)."""

    points: Floats
    scale: Floats


def _cube(dimensions: int, df: float) -> _Cube:
    points = _sobol(dimensions + 1, POINTS)
    scale = np.sqrt(chdtri(df, 1 - points[-1]) / df) if df < MANY else np.ones(POINTS)
    return _Cube(points[:-1], scale)


@lru_cache(maxsize=16)
def _sobol(dimensions: int, points: int) -> Floats:
    """Scrambled Sobol points, the same at every call, (dimensions, points)."""
    return qmc.Sobol(dimensions, rng=np.random.default_rng(SEED)).random(points).T.astype(float)


def _below(d: float, triangle: Floats, cube: _Cube) -> float:
    """Genz's transformation to the unit cube (Genz 1992; Genz and Bretz 1999 for t), averaged over the points."""
    normal, whole = np.zeros_like(cube.points), np.ones(POINTS)
    for j, (row, points) in enumerate(zip(triangle, cube.points, strict=True)):
        share = ndtr((d * cube.scale - row[:j] @ normal[:j]) / row[j])
        whole *= share
        normal[j] = ndtri(np.clip(points * share, 1e-300, 1 - 1e-16))
    return float(whole.mean())
