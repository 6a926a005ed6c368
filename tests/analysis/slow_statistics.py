"""Ratings for tests of statistics, and slow, obvious ways by whole matrices to compare the quick ones with."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import linalg

from analysis.statistics.means import Floats, Integers, WorkerTable, tabulate


@dataclass(frozen=True)
class Ratings:
    """One entry a rating in each array."""

    worker: Integers
    model: Integers
    axis: Integers
    score: Floats
    shape: tuple[int, int, int]

    def table(self) -> WorkerTable:
        return tabulate(self.worker, self.model, self.axis, self.score, self.shape)

    def on(self, axis: int) -> Ratings:
        """The ratings of one axis."""
        chosen = self.axis == axis
        return Ratings(
            self.worker[chosen],
            self.model[chosen],
            self.axis[chosen] * 0,
            self.score[chosen],
            (*self.shape[:2], 1),
        )

    def design(self) -> Floats:
        """A column a model."""
        return np.eye(self.shape[1])[self.model]


def drawn(seed: int, workers: int = 12, models: int = 3, axes: int = 1, n: int = 60) -> Ratings:
    """Whole-number ratings by workers who differ, dealt at random; each model is rated by several."""
    draw = np.random.default_rng(seed)
    worker, model, axis = draw.integers(0, workers, n), draw.integers(0, models, n), draw.integers(0, axes, n)
    lenient, good = draw.normal(0, 0.7, workers), np.linspace(-0.5, 0.5, models)
    score = np.clip(np.round(3 + lenient[worker] + good[model] + draw.normal(0, 1, n)), 1, 5)
    return Ratings(worker, model, axis, score, (workers, models, axes))


def given(*workers: dict[int, list[float]], models: int = 2) -> Ratings:
    """Each worker's scores by model, on one axis."""
    rows = [
        (number, model, score)
        for number, scores in enumerate(workers)
        for model, several in scores.items()
        for score in several
    ]
    worker, model = (np.array([row[k] for row in rows], dtype=np.int64) for k in (0, 1))
    score = np.array([row[2] for row in rows], dtype=float)
    return Ratings(worker, model, np.zeros_like(worker), score, (len(workers), models, 1))


def cr2_by_definition(
    design: Floats, response: Floats, worker: Integers, weights: Floats
) -> tuple[float, float, float]:
    """Estimate, CR2 error and Satterthwaite's degrees of freedom of a contrast (Pustejovsky and Tipton 2018).

    From the hat matrix, the adjustment (I - H_gg)^(-1/2) of each worker, and the estimate as a quadratic form of
    independent normal errors.
    """
    bread = np.linalg.inv(design.T @ design)
    away = np.eye(len(response)) - design @ bread @ design.T
    residual = away @ response
    variance, forms = 0.0, []
    for g in np.unique(worker):
        mine = worker == g
        adjustment = linalg.inv(linalg.sqrtm(away[np.ix_(mine, mine)]).real)
        loading = adjustment @ design[mine] @ bread @ weights
        variance += (loading @ residual[mine]) ** 2
        forms.append(away[:, mine] @ loading)
    products = np.array([[a @ b for b in forms] for a in forms])
    df = np.trace(products) ** 2 / (products**2).sum()
    return float(weights @ bread @ design.T @ response), float(np.sqrt(variance)), float(df)


def sandwich(design: Floats, response: Floats, worker: Integers) -> Floats:
    """The covariance of least squares coefficients, clustered by worker, without any correction."""
    bread = np.linalg.pinv(design.T @ design)
    residual = response - design @ bread @ design.T @ response
    scores = [design[worker == g].T @ residual[worker == g] for g in np.unique(worker)]
    return bread @ sum(np.outer(score, score) for score in scores) @ bread
