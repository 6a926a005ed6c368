"""Restricted maximum likelihood of ratings with random workers, from sums by worker and model.

Rating = model's mean + worker's effect + residual, for one axis. The criterion depends on the ratio
λ = var_worker / var_residual alone once means and residual variance are set to their best values (Bates et al.
2015, section 3). The inverse covariance of a worker with N ratings is I - k 11', k = λ / (1 + λ N), so that all
terms are sums over workers; workers with the same N share k, and their sums are added up once.

Shapes: M models that have ratings, K distinct numbers of ratings a worker.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from analysis.statistics.means import Floats


@dataclass(frozen=True, slots=True)
class Sums:
    """Everything that the criterion needs. ``means`` of the response were taken off by ``centre`` beforehand.

    ``load`` (K,) numbers of ratings a worker, ``workers`` (K,) how many workers have it; over these workers, with
    c a worker's counts by model and S their sum: ``cross`` (K, M, M) of c c', ``moment`` (K, M) of c S, ``square``
    (K,) of S^2. Over all: ``count`` and ``total`` (M,), and the sum of squares.
    """

    load: Floats
    workers: Floats
    cross: Floats
    moment: Floats
    square: Floats
    count: Floats
    total: Floats
    squares: float
    centre: float

    @property
    def n(self) -> int:
        return int(self.count.sum())

    @property
    def spare(self) -> int:
        """Ratings less means: what the residual variance is divided by."""
        return self.n - len(self.count)


@dataclass(frozen=True, slots=True)
class Point:
    """The criterion at one ratio. A' means the derivative by the ratio.

    ``inverse`` (M, M) of X'V^-1 X, ``slope`` the derivative of X'V^-1 X, ``means`` (M,) with the centre added;
    ``rss`` the weighted residual sum of squares, ``logdet`` log |V| + log |X'V^-1 X|, each with its first and second
    derivative.
    """

    ratio: float
    inverse: Floats
    slope: Floats
    means: Floats
    rss: tuple[float, float, float]
    logdet: tuple[float, float, float]
    spare: int

    @property
    def var_residual(self) -> float:
        return self.rss[0] / self.spare

    @property
    def deviance(self) -> float:
        """-2 times the restricted log-likelihood."""
        return self.spare * (np.log(2 * np.pi * self.var_residual) + 1) + self.logdet[0]

    @property
    def gradient(self) -> float:
        """Derivative of the deviance by the ratio."""
        return self.spare * self.rss[1] / self.rss[0] + self.logdet[1]


def sums(count: Floats, total: Floats, squares: Floats) -> Sums:
    """Add up one axis; ``count``, ``total`` and ``squares`` are (W, M), of models that have ratings."""
    present = count.sum(axis=1) > 0
    count, total = count[present], total[present]
    centre = float(total.sum() / count.sum())
    loads = count.sum(axis=1)
    order = np.argsort(loads, kind="stable")
    count, total, loads = count[order], total[order], loads[order]
    load, begins = np.unique(loads, return_index=True)
    ends = np.append(begins[1:], len(loads))
    apart = total.sum(axis=1) - centre * loads
    chosen = [slice(begin, end) for begin, end in zip(begins, ends, strict=True)]
    return Sums(
        load=load,
        workers=(ends - begins).astype(float),
        cross=np.array([count[rows].T @ count[rows] for rows in chosen]),
        moment=np.array([apart[rows] @ count[rows] for rows in chosen]),
        square=np.add.reduceat(apart**2, begins),
        count=count.sum(axis=0),
        total=total.sum(axis=0) - centre * count.sum(axis=0),
        squares=float(squares.sum() - centre * (2 * total.sum() - centre * count.sum())),
        centre=centre,
    )


def at(sums: Sums, ratio: float) -> Point:
    """The criterion and its derivatives at one ratio of variances."""
    grown = 1 + ratio * sums.load
    # k and its first two derivatives by the ratio, and what each takes off X'X, X'y and y'y.
    k = np.stack([ratio / grown, 1 / grown**2, -2 * sums.load / grown**3])
    models = len(sums.count)
    off = (k @ sums.cross.reshape(-1, models**2)).reshape(3, models, models)
    off_right, off_squares = k @ sums.moment, k @ sums.square
    normal, slope, bend = np.diag(sums.count) - off[0], -off[1], -off[2]
    inverse = np.linalg.inv(normal).astype(float)
    right = sums.total - off_right[0]
    means = inverse @ right
    # By the envelope theorem the means' own derivatives matter in the second derivative alone.
    pull = -off_right[1] - slope @ means
    rss = float(sums.squares - off_squares[0] - right @ means)
    rss1 = float(-off_squares[1] + 2 * off_right[1] @ means + means @ slope @ means)
    rss2 = float(-off_squares[2] + 2 * off_right[2] @ means + means @ bend @ means)
    share = sums.load / grown
    turned = inverse @ slope
    return Point(
        ratio=ratio,
        inverse=inverse,
        slope=slope,
        means=means + sums.centre,
        rss=(rss, rss1, rss2 - 2 * float(pull @ inverse @ pull)),
        logdet=(
            float(sums.workers @ np.log(grown) + np.linalg.slogdet(normal)[1]),
            float(sums.workers @ share + np.trace(turned)),
            float(-sums.workers @ share**2 + np.trace(inverse @ bend) - np.sum(turned * turned.T)),
        ),
        spare=sums.spare,
    )
