"""The linear mixed model of ratings: each model's mean, and a random effect of each worker.

Fitted by REML, one axis at a time (``analysis/statistics/reml.py``). Its contrasts compare models within workers as far
as workers rated several; its means are those that an average worker would give, which is not the mean of the
ratings that were given. So contrasts are taken from here, and the means of Table 7 are not.

Shapes: W workers, M models, A axes, P pairs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq
from scipy.sparse.csgraph import connected_components
from scipy.special import stdtrit

from analysis.statistics import reml
from analysis.statistics.differences import Differences, Untested, pairs
from analysis.statistics.means import LEVEL, Floats, Integers, Intervals, WorkerTable

#: Ratios of variances between which the best is looked for; beyond them the intraclass correlation is 0 or 1.
RATIOS = np.concatenate([[0.0], np.geomspace(1e-6, 1e6, 25)])
#: A residual sum of squares below this share of the total is rounding.
ROUNDING = 1e-10
PINV_CUT = 1e-10


@dataclass(frozen=True, slots=True)
class MixedModel:
    """What is known of one axis.

    ``means`` (M,) with their ``covariance`` (M, M); NaN for models without ratings. ``untested`` says why nothing can
    be estimated: then all figures are NaN. ``var_worker`` is NaN where no worker rated twice: the two variances cannot
    be told apart then, nor need they be, and all of it counts as residual. ``slope`` is the covariance's derivative by
    the ratio of variances, and ``uncertainty`` (2, 2) the asymptotic covariance of that ratio and the residual
    variance: Satterthwaite's degrees of freedom need both. ``raters`` (M,) counts the workers who rated each model.
    """

    means: Floats
    covariance: Floats
    slope: Floats
    uncertainty: Floats
    var_worker: float
    var_residual: float
    log_likelihood: float
    n: int
    workers: int
    raters: Integers
    untested: Untested = Untested.NONE

    @property
    def ratio(self) -> float:
        """Variance between workers over the residual variance."""
        return self.var_worker / self.var_residual

    @property
    def icc(self) -> float:
        """The share of the variance that is between workers, 0 to 1."""
        return self.var_worker / (self.var_worker + self.var_residual)

    @property
    def compared(self) -> Integers:
        """Places of the models that are compared: what one worker alone rated tells of that worker's taste."""
        return np.flatnonzero(~np.isnan(self.means) & (self.raters > 1))

    def contrasts(self, weights: Floats) -> Contrasts:
        """Weighted sums of means; ``weights`` (L, M) give L of them."""
        used = np.where(weights == 0, 0, 1)
        known = ~(used @ np.isnan(self.means)).astype(bool)
        variance = _forms(weights, self.covariance)
        gradient = np.stack([_forms(weights, self.slope), variance / self.var_residual])  # (2, L)
        spread = np.einsum("il,ij,jl->l", gradient, self.uncertainty, gradient)
        with np.errstate(divide="ignore", invalid="ignore"):
            estimate = weights @ np.nan_to_num(self.means)
            error, df = np.sqrt(variance), 2 * variance**2 / spread
        return Contrasts(*(np.where(known, value, np.nan) for value in (estimate, error, df)))

    def model_means(self) -> Contrasts:
        """Each model's mean."""
        return self.contrasts(np.eye(len(self.means)))


@dataclass(frozen=True, slots=True)
class Contrasts:
    """Estimates, standard errors and Satterthwaite's degrees of freedom, each (L,)."""

    estimate: Floats
    error: Floats
    df: Floats

    def interval(self, level: float = LEVEL) -> Intervals:
        half = stdtrit(self.df, (1 + level) / 2) * self.error
        return Intervals(low=self.estimate - half, high=self.estimate + half)


def fit(table: WorkerTable) -> tuple[MixedModel, ...]:
    """A mixed model for each axis."""
    return tuple(
        fit_axis(table.count[:, :, axis], table.total[:, :, axis], table.squares[:, :, axis])
        for axis in range(table.count.shape[2])
    )


def fit_axis(count: Floats, total: Floats, squares: Floats) -> MixedModel:
    """The mixed model of one axis; the three are (W, M)."""
    models, rated = count.shape[1], count.sum(axis=0) > 0
    if not rated.any():
        return _nothing(models, 0, 0, Untested.NO_RATINGS)
    sums = reml.sums(count[:, rated], total[:, rated], squares[:, rated])
    workers = int(sums.workers.sum())
    if why := _why_not(sums, workers):
        return _nothing(models, sums.n, workers, why)
    single = bool(sums.load.max() == 1)
    best = reml.at(sums, 0.0 if single else best_ratio(sums))
    covariance, slope = np.full((2, models, models), np.nan)
    covariance[np.ix_(rated, rated)] = best.var_residual * best.inverse
    slope[np.ix_(rated, rated)] = -best.var_residual * best.inverse @ best.slope @ best.inverse
    means = np.full(models, np.nan)
    means[rated] = best.means
    return MixedModel(
        means=means,
        covariance=covariance,
        slope=slope,
        uncertainty=_uncertainty(best),
        var_worker=np.nan if single else best.ratio * best.var_residual,
        var_residual=best.var_residual,
        log_likelihood=-best.deviance / 2,
        n=sums.n,
        workers=workers,
        raters=(count > 0).sum(axis=0),
    )


def best_ratio(sums: reml.Sums) -> float:
    """The ratio of variances that REML takes: the lowest of all points where the deviance is level, or zero."""
    gradients = [reml.at(sums, ratio).gradient for ratio in RATIOS]
    candidates = [0.0] if gradients[0] >= 0 else []
    for low, high, falls, rises in zip(RATIOS, RATIOS[1:], gradients, gradients[1:], strict=False):
        if falls < 0 <= rises:
            root = brentq(lambda ratio: reml.at(sums, ratio).gradient, low, high, xtol=1e-13, rtol=1e-13)
            candidates.append(float(root))
    return min(candidates or [float(RATIOS[-1])], key=lambda ratio: reml.at(sums, ratio).deviance)


def differences(fitted: Sequence[MixedModel]) -> Differences:
    """All pairs on every axis; a fitted model an axis."""
    first, second = pairs(len(fitted[0].means))
    weights = _pair_weights(first, second, len(fitted[0].means))
    of_axes = [model.contrasts(weights) for model in fitted]
    estimate, error, df = (
        np.stack([getattr(each, name) for each in of_axes], axis=1) for name in ("estimate", "error", "df")
    )
    untested = np.full(estimate.shape, Untested.NONE, dtype=object)
    for axis, model in enumerate(fitted):
        apart = ~(np.isin(first, model.compared) & np.isin(second, model.compared))
        untested[apart, axis] = Untested.ONE_WORKER
    untested[np.isnan(estimate)] = Untested.NO_RATINGS
    for axis, model in enumerate(fitted):
        if model.untested != Untested.NONE:
            untested[:, axis] = model.untested
    error, df = (np.where(untested == Untested.NONE, each, np.nan) for each in (error, df))
    return Differences(first=first, second=second, estimate=estimate, error=error, df=df, untested=untested)


def _pair_weights(first: Integers, second: Integers, models: int) -> Floats:
    identity = np.eye(models)
    return identity[first] - identity[second]


def _forms(weights: Floats, matrix: Floats) -> Floats:
    """w' X w for each row w; entries of X that no weight touches may be NaN."""
    return np.einsum("lm,mk,lk->l", weights, np.nan_to_num(matrix), weights)


def _uncertainty(best: reml.Point) -> Floats:
    """Twice the inverse Hessian of the deviance in the ratio and the residual variance.

    A ratio of zero is on the border of what is possible and counts as known.
    """
    v, spare = best.var_residual, best.spare
    if best.ratio == 0:
        return np.diag([0.0, 2 * v**2 / spare])
    across = -best.rss[1] / v**2
    hessian = np.array([[best.rss[2] / v + best.logdet[2], across], [across, spare / v**2]])
    return 2 * np.linalg.inv(hessian)


def _why_not(sums: reml.Sums, workers: int) -> Untested:
    """Why the two variances cannot be told apart, if so.

    The effects of workers are no sums of models' effects where there are more workers than groups of models that
    workers link; ratings beyond those that fix all effects tell the residual variance.
    """
    linked = sums.cross.sum(axis=0) > 0
    groups = int(connected_components(linked, directed=False)[0])
    if workers == 1:
        return Untested.ONE_WORKER
    single = sums.load.max() == 1
    if sums.spare < 1 or (not single and (workers <= groups or sums.spare <= workers - groups)):
        return Untested.TOO_FEW_RATINGS
    within = np.diag(sums.count) - np.tensordot(1 / sums.load, sums.cross, 1)
    moment = sums.total - (1 / sums.load) @ sums.moment
    inverse = np.linalg.pinv(within, rcond=PINV_CUT, hermitian=True)
    left = sums.squares - (1 / sums.load) @ sums.square - moment @ inverse @ moment
    if single:
        left = sums.squares - sums.total @ (sums.total / sums.count)
    return Untested.NONE if left > ROUNDING * max(sums.squares, 1) else Untested.NO_VARIANCE


def _nothing(models: int, n: int, workers: int, why: Untested) -> MixedModel:
    square = np.full((models, models), np.nan)
    return MixedModel(
        means=np.full(models, np.nan),
        covariance=square,
        slope=square,
        uncertainty=np.full((2, 2), np.nan),
        var_worker=np.nan,
        var_residual=np.nan,
        log_likelihood=np.nan,
        n=n,
        workers=workers,
        raters=np.zeros(models, dtype=np.int64),
        untested=why,
    )
