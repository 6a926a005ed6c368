"""Differences between models within workers: every worker's leniency is taken out whole.

A check against confounding: where lenient workers met some models more often than others, the difference of means
is wrong and the mixed model's half corrected; this one is right, but it uses nothing that is known from comparing
workers, and so has wider intervals. Regression on models and workers as fixed effects, errors clustered by worker
(Arellano 1987).

Shapes: W workers, M models, A axes, P pairs.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.sparse.csgraph import connected_components

from analysis.statistics.differences import Differences, Untested, pairs
from analysis.statistics.means import Floats, Integers, WorkerTable

#: Eigenvalues below this share of the largest are zero: a group of linked models has one.
CUT = 1e-10


def differences(table: WorkerTable) -> Differences:
    """All pairs on every axis, with G / (G - 1) corrected errors and t with G - 1 degrees of freedom.

    G counts the workers who rated at least two models of the group that the pair stands in. Pairs that no chain of
    such workers links have no test.
    """
    axes = range(table.count.shape[2])
    of_axes = [_axis(table.count[:, :, axis], table.total[:, :, axis]) for axis in axes]
    estimate, variance, df, untested = (np.stack(parts, axis=1) for parts in zip(*of_axes, strict=True))
    first, second = pairs(table.count.shape[1])
    known = untested == Untested.NONE
    return Differences(
        first=first,
        second=second,
        estimate=np.where(untested == Untested.NO_VARIANCE, estimate, np.where(known, estimate, np.nan)),
        error=np.where(known, np.sqrt(np.where(known, variance, 0)), np.nan),
        df=np.where(known, df, np.nan),
        untested=untested,
    )


def _axis(count: Floats, total: Floats) -> tuple[Floats, Floats, Floats, NDArray[np.object_]]:
    """Estimates, variances, degrees of freedom and reasons of one axis, each (P,)."""
    first, second = pairs(count.shape[1])
    informative = (count > 0).sum(axis=1) > 1
    count, total = count[informative], total[informative]
    effects, bread = _effects(count, total)
    scores = _scores(count, total, effects) @ bread
    _, group = connected_components((count.T @ count) > 0, directed=False)
    workers = _workers_by_group(count, group)[first]
    linked = (group[first] == group[second]) & (workers > 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        apart = scores[:, first] - scores[:, second]
        variance = (apart**2).sum(axis=0) * workers / (workers - 1)
        size = (scores[:, first] ** 2 + scores[:, second] ** 2).sum(axis=0)
    untested = np.full(len(first), Untested.NONE, dtype=object)
    untested[~(variance > CUT**2 + CUT * size)] = Untested.NO_VARIANCE
    untested[workers == 1] = Untested.ONE_WORKER
    untested[~linked] = Untested.NOT_LINKED
    return effects[first] - effects[second], variance, workers - 1, untested


def _effects(count: Floats, total: Floats) -> tuple[Floats, Floats]:
    """Models' effects (M,), each group's around zero, and the inverse of their normal matrix (M, M)."""
    load = count.sum(axis=1, keepdims=True)
    normal = np.diag(count.sum(axis=0)) - count.T @ (count / load)
    inverse = np.linalg.pinv(normal, rcond=CUT, hermitian=True)
    right = total.sum(axis=0) - (total.sum(axis=1, keepdims=True) / load * count).sum(axis=0)
    return inverse @ right, inverse


def _scores(count: Floats, total: Floats, effects: Floats) -> Floats:
    """Sums of each worker's residuals by model, (W, M)."""
    load = count.sum(axis=1, keepdims=True)
    level = (total - count * effects).sum(axis=1, keepdims=True) / load
    return total - count * (effects + level)


def _workers_by_group(count: Floats, group: Integers) -> Floats:
    """How many workers each model's group has, (M,)."""
    of_worker = group[(count > 0).argmax(axis=1)] if len(count) else np.zeros(0, dtype=np.int64)
    return np.bincount(of_worker, minlength=int(group.max(initial=-1)) + 1)[group].astype(float)
