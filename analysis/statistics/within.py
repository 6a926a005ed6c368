"""Differences between models within workers: every worker's leniency is taken out whole.

A check against confounding: where lenient workers met some models more often than others, the difference of means
is wrong and the mixed model's half corrected; this one is right, but it uses nothing that is known from comparing
workers, and so has wider intervals. Regression on models and workers as fixed effects, errors clustered by worker
(Arellano 1987), with as many degrees of freedom as there are workers who tell something of a pair, less one: of a
model that few rated, a difference rests on those few (Carter, Schnepel and Steigerwald 2017).

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

    G is the effective number of workers who rated at least two models, pair by pair. Pairs that no chain of such
    workers links have no test, nor those that a single worker links.
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
    linked, by_one = _links(count > 0, first, second)
    with np.errstate(divide="ignore", invalid="ignore"):
        workers = _effective_workers(count, bread[:, first] - bread[:, second])
        apart = scores[:, first] - scores[:, second]
        variance = (apart**2).sum(axis=0) * workers / (workers - 1)
        size = (scores[:, first] ** 2 + scores[:, second] ** 2).sum(axis=0)
    untested = np.full(len(first), Untested.NONE, dtype=object)
    untested[~(variance > CUT**2 + CUT * size)] = Untested.NO_VARIANCE
    untested[by_one] = Untested.ONE_WORKER
    untested[~linked] = Untested.NOT_LINKED
    return effects[first] - effects[second], variance, workers - 1, untested


def _links(
    rated: NDArray[np.bool_], first: Integers, second: Integers
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Whether a chain of workers links a pair, and whether without some one worker none does, each (P,)."""
    rates = rated.astype(float)
    links = rates.T @ rates
    linked, by_one = _together(links, first, second), np.zeros(len(first), dtype=bool)
    for worker in rates[((rates @ (links == 1)) * rates).any(axis=1)]:  # who is the only link of some pair
        by_one |= ~_together(links - np.outer(worker, worker), first, second)
    return linked, by_one


def _together(links: Floats, first: Integers, second: Integers) -> NDArray[np.bool_]:
    _, group = connected_components(links > 0, directed=False)
    return np.asarray(group[first] == group[second])


def _effective_workers(count: Floats, loadings: Floats) -> Floats:
    """On how many workers a difference rests, (P,), two at least; ``loadings`` are (M, P).

    (sum v)^2 / sum v^2, where v is a worker's part of its variance if ratings had but one spread.
    """
    parts = count @ loadings**2 - (count @ loadings) ** 2 / count.sum(axis=1, keepdims=True)
    return np.maximum(parts.sum(axis=0) ** 2 / (parts**2).sum(axis=0), 2)


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
