"""Differences between models' means, by ordinary least squares on the models with errors clustered by worker.

The regression of ratings on the models (one mean each, no constant), one axis at a time, has a design in which a
worker's block of the hat matrix falls apart by model. So CR2 and Satterthwaite's degrees of freedom of a
difference have closed forms in the worker table, as those of a mean have.

Shapes: W workers, M models, A axes, P pairs. With C_gm and S_gm worker g's count and sum for model m, n_m the
model's ratings: e_gm = S_gm - C_gm mean_m, h_gm = 1 - C_gm / n_m.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from analysis.statistics.differences import Differences, Untested, pairs
from analysis.statistics.means import Cells, Floats, Integers, WorkerTable, residuals, summarise

#: A variance below this share of what it is the difference of is rounding.
ROUNDING = 1e-12


def cr2(table: WorkerTable) -> Differences:
    """Errors by CR2 with Satterthwaite's degrees of freedom (Bell and McCaffrey 2002; Pustejovsky and Tipton 2018).

    The score of worker g for model m is e_gm / (n_m sqrt(h_gm)). With the weights w_m = 1 / n_m^3 and
    a_gm = C_gm / sqrt(h_gm) the degrees of freedom are, over the two models of a pair,
    (sum 1 / n_m)^2 / (sum_g (sum_m C_gm / n_m^2)^2 + sum_(g != h) (sum_m w_m a_gm a_hm)^2).
    """
    n = table.count.sum(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        leverage = np.where(table.count > 0, 1 - table.count / n, 1)
        scores = residuals(table) / (n * np.sqrt(leverage))
        spread = table.count / np.sqrt(leverage)  # (W, M, A)
        df = _satterthwaite(table.count, spread, n)
    return _differences(table, _products(scores, scores), df)


def cr1s(table: WorkerTable) -> Differences:
    """Errors by CR1 with Stata's correction, t with G - 1 degrees of freedom for G workers on the axis."""
    n = table.count.sum(axis=0)
    total, models = n.sum(axis=0), (n > 0).sum(axis=0)  # (A,)
    workers = (table.count.sum(axis=1) > 0).sum(axis=0).astype(float)
    with np.errstate(divide="ignore", invalid="ignore"):
        scores = residuals(table) / n
        correction = workers / (workers - 1) * (total - 1) / (total - models)
        covariance = _products(scores, scores) * correction[:, None, None]
    many = len(pairs(n.shape[0])[0])
    return _differences(table, covariance, np.tile(workers - 1, (many, 1)))


def welch(cells: Cells) -> Differences:
    """Welch's unequal variances t test (Welch 1947), as if every rating came from another worker."""
    first, second = pairs(len(cells.n))
    with np.errstate(divide="ignore", invalid="ignore"):
        n = np.where(cells.n > 1, cells.n, np.nan)
        variance = cells.sd**2 / n
        a, b = variance[first], variance[second]
        df = (a + b) ** 2 / (a**2 / (n - 1)[first] + b**2 / (n - 1)[second])
    untested = _why(cells.n, cells.n, (first, second), Untested.TOO_FEW_RATINGS)
    return _tested(cells.mean[first] - cells.mean[second], a + b, df, untested, (first, second))


def _products(left: Floats, right: Floats) -> Floats:
    """Sums over workers of products of two models' entries: (W, M, A) twice -> (A, M, M)."""
    return np.matmul(left.transpose(2, 1, 0), right.transpose(2, 0, 1))


def _of_pair(matrix: Floats, first: Integers, second: Integers, w: Floats) -> Floats:
    """w_i^2 X_ii + w_j^2 X_jj + 2 w_i w_j X_ij for each pair: (A, M, M) and weights (M, A) -> (P, A)."""
    own = np.diagonal(matrix, axis1=1, axis2=2).T  # (M, A)
    both = matrix[:, first, second].T
    weighted = w**2 * own
    return weighted[first] + weighted[second] + 2 * w[first] * w[second] * both


def _satterthwaite(count: Floats, spread: Floats, n: Floats) -> Floats:
    """Degrees of freedom of all pairs, (P, A)."""
    first, second = pairs(len(n))
    own = _of_pair(_products(count, count), first, second, 1 / n**2)
    across = _of_pair(_products(spread, spread) ** 2, first, second, 1 / n**3)
    same = _of_pair(_products(spread**2, spread**2), first, second, 1 / n**3)
    return (1 / n[first] + 1 / n[second]) ** 2 / (own + across - same)


def _differences(table: WorkerTable, covariance: Floats, df: Floats) -> Differences:
    """Pairs from the covariance of the means, (A, M, M)."""
    cells = summarise(table)
    first, second = chosen = pairs(len(cells.n))
    own = np.diagonal(covariance, axis1=1, axis2=2).T
    with np.errstate(invalid="ignore"):
        apart = own[first] + own[second]
        variance = apart - 2 * covariance[:, first, second].T
        variance = np.where(variance > ROUNDING * apart, variance, 0)
    untested = _why(cells.n, cells.workers, chosen)
    return _tested(cells.mean[first] - cells.mean[second], variance, df, untested, chosen)


def _why(
    n: Integers, units: Integers, chosen: tuple[Integers, Integers], few: Untested = Untested.ONE_WORKER
) -> NDArray[np.object_]:
    """No ratings, or ``few`` where a model has fewer than two independent units."""
    first, second = chosen
    untested = np.full((len(first), n.shape[1]), Untested.NONE, dtype=object)
    untested[np.minimum(units[first], units[second]) < 2] = few
    untested[np.minimum(n[first], n[second]) == 0] = Untested.NO_RATINGS
    return untested


def _tested(
    estimate: Floats,
    variance: Floats,
    df: Floats,
    untested: NDArray[np.object_],
    chosen: tuple[Integers, Integers],
) -> Differences:
    """Differences whose error and degrees of freedom are NaN where there is no test."""
    with np.errstate(invalid="ignore"):
        untested[(untested == Untested.NONE) & ~(variance > 0)] = Untested.NO_VARIANCE
    known = untested == Untested.NONE
    return Differences(
        first=chosen[0],
        second=chosen[1],
        estimate=estimate,
        error=np.where(known, np.sqrt(np.where(known, variance, 0)), np.nan),
        df=np.where(known, df, np.nan),
        untested=untested,
    )
