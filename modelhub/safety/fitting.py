"""Logistic regression, cross-validation and a threshold: numpy and scipy, nothing drawn but the folds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit

Floats = NDArray[np.float64]
Booleans = NDArray[np.bool_]

FOLDS = 5
#: Tried as the ridge penalty: from one that lets single utterances decide to one that leaves little.
PENALTIES = (3e-5, 1e-4, 3e-4, 1e-3, 3e-3)
THRESHOLDS = tuple(round(step * 0.05, 2) for step in range(1, 20))


def fit_logistic(rows: Floats, labels: Booleans, penalty: float, weights: Floats) -> tuple[Floats, float]:
    """(N, D), (N,) -> weight (D,) and bias, minimising mean log loss + penalty / 2 |weight|^2; the bias is free.

    ``weights`` (N,) says how much each row counts in the mean. Newton's steps within a trust region (Nocedal and Wright
    2006, section 4.3): they end at the minimum to the last digits, so that the same rows give the same head.
    """
    given = np.column_stack([rows, np.ones(len(rows))])
    shares = weights / weights.sum()
    ridge = np.append(np.full(rows.shape[1], penalty), 0.0)

    def loss(at: Floats) -> float:
        return log_loss(given @ at, labels, weights) + float(ridge @ at**2) / 2

    def gradient(at: Floats) -> Floats:
        return given.T @ (shares * (expit(given @ at) - labels)) + ridge * at

    def curvature(at: Floats) -> Floats:
        expected = expit(given @ at)
        return (given * (shares * expected * (1 - expected))[:, None]).T @ given + np.diag(ridge)

    start = np.zeros(given.shape[1])
    found = minimize(loss, start, jac=gradient, hess=curvature, method="trust-exact", options={"gtol": 1e-9})
    return found.x[:-1], float(found.x[-1])


def folds(kinds: Sequence[str], seed: int, count: int = FOLDS) -> NDArray[np.intp]:
    """(N,): each utterance's fold; every kind is dealt out evenly."""
    rng = np.random.default_rng(seed)
    found = np.empty(len(kinds), dtype=np.intp)
    start = 0
    for kind in sorted(set(kinds)):
        places = rng.permutation([place for place, each in enumerate(kinds) if each == kind])
        found[places] = (np.arange(len(places)) + start) % count
        # So that the remainders of all kinds do not meet in the first folds.
        start += len(places)
    return found


def out_of_fold(
    rows: Floats, labels: Booleans, fold: NDArray[np.intp], penalty: float, weights: Floats
) -> Floats:
    """(N,): the log-odds of each row by a head that was fitted without its fold."""
    found = np.empty(len(rows))
    for held in np.unique(fold):
        rest = fold != held
        weight, bias = fit_logistic(rows[rest], labels[rest], penalty, weights[rest])
        found[~rest] = rows[~rest] @ weight + bias
    return found


def by_penalty(
    rows: Floats, labels: Booleans, fold: NDArray[np.intp], weights: Floats
) -> Iterator[tuple[float, float, Floats]]:
    """For each of PENALTIES the log loss of log-odds out of fold, the penalty, and these log-odds (N,)."""
    for penalty in PENALTIES:
        log_odds = out_of_fold(rows, labels, fold, penalty, weights)
        yield log_loss(log_odds, labels, weights), penalty, log_odds


def log_loss(log_odds: Floats, labels: Booleans, weights: Floats) -> float:
    return float(np.average(np.logaddexp(0, np.where(labels, -log_odds, log_odds)), weights=weights))


def best_threshold(probabilities: Floats, labels: Booleans, weights: Floats) -> float:
    """The one of THRESHOLDS with the highest F1; of equal ones the highest, which asks people to look at less."""
    return max(THRESHOLDS, key=lambda threshold: (f1(probabilities >= threshold, labels, weights), threshold))


def f1(found: Booleans, labels: Booleans, weights: Floats) -> float:
    """The harmonic mean of precision and recall; 0 where nothing was found rightly."""
    right, either = weights[found & labels].sum(), weights[found].sum() + weights[labels].sum()
    return float(2 * right / either) if either else 0.0
