"""Looking at results while they come in without finding more than there is.

A study that is looked at K times and stopped as soon as a difference is clear needs wider limits than one that is
looked at once. Group sequential bounds suit looks that were planned (or an error rate that is spent as they
come); always-valid bounds suit a live page, at which anybody looks at any time.

A look's information is 1 / error^2 of the difference; only its share of the planned total matters, which for equal
arms is the share of ratings. Z is the difference over its error.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache

import numpy as np
from scipy.optimize import brentq
from scipy.special import lambertw, ndtr, ndtri

from analysis.statistics.means import Floats, Intervals
from analysis.statistics.planning import ALPHA

#: Points of an integral: multiples of the first, and at least so many within one standard deviation of an increment.
POINTS, POINTS_A_DEVIATION = 64, 4
#: Limits that are reached with a chance below 1e-30 count as never reached.
NEVER = 12.0


class Shape(StrEnum):
    """How limits change from look to look."""

    OBRIEN_FLEMING = "obrien_fleming"
    POCOCK = "pocock"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What happens to a study that stops at the first look at which |Z| reaches its limit.

    ``stop`` (K,) is the chance to stop at each look by reaching the limit, ``rejected`` their sum, ``information`` the
    mean share of the planned information at the end, 1 where no limit is reached.
    """

    stop: Floats
    rejected: float
    information: float


# --- Limits of planned looks --------------------------------------------------------------------------------


def classical_bounds(shape: Shape, shares: Floats, alpha: float = ALPHA) -> Floats:
    """Limits for |Z| at the planned looks (K,), two-sided error ``alpha``.

    O'Brien and Fleming 1979: c / sqrt(share), so that the last look costs little; Pocock 1977: c at all looks. c is
    found by numerical integration, for any shares of information.
    """
    shares = _checked(shares)
    form = 1 / np.sqrt(shares) if shape is Shape.OBRIEN_FLEMING else np.ones_like(shares)
    single = float(-ndtri(alpha / 2))

    def excess(c: float) -> float:
        return outcome(c * form, shares).rejected - alpha

    return brentq(excess, 0.99 * single / form.max(), single * math.sqrt(len(shares)) + 2, xtol=1e-10) * form


def spent(shape: Shape, shares: Floats, alpha: float = ALPHA) -> Floats:
    """The error that may be used up to each share of information (Lan and DeMets 1983), half of it in either tail."""
    shares = np.minimum(shares, 1)
    if shape is Shape.OBRIEN_FLEMING:
        return 4 * ndtr(ndtri(alpha / 4) / np.sqrt(shares))
    return alpha * np.log1p((math.e - 1) * shares)


def spending_bounds(shape: Shape, shares: Floats, alpha: float = ALPHA) -> Floats:
    """Limits for |Z| at looks whose number and times need not be planned: each uses up what has become free.

    The limit of a look depends on it and the earlier ones alone, so that a look that was taken keeps its limit.
    """
    shares = _checked(shares)
    free = np.diff(spent(shape, shares, alpha), prepend=0.0)
    walk, limits = _Walk(), np.zeros(len(shares))
    for look, (share, chance) in enumerate(zip(shares, free, strict=True)):
        limits[look] = walk.limit(share, float(chance))
        walk = walk.after(share, limits[look])
    return limits


def outcome(limits: Floats, shares: Floats, drift: float = 0.0) -> Outcome:
    """What limits do; ``drift`` is the mean of Z at the full information, 0 under no difference.

    Recursive numerical integration (Armitage, McPherson and Rowe 1969).
    """
    shares = _checked(shares)
    walk, stop = _Walk(drift=drift), np.zeros(len(shares))
    for look, (limit, share) in enumerate(zip(limits, shares, strict=True)):
        stop[look] = walk.chance(share, float(limit))
        walk = walk.after(share, float(limit))
    rejected = float(stop.sum())
    return Outcome(
        stop=stop, rejected=rejected, information=float(stop @ shares) + (1 - rejected) * shares[-1]
    )


@dataclass(frozen=True, slots=True)
class _Walk:
    """Brownian motion that has reached no limit yet: where it is at a share of information, as weighted points."""

    share: float = 0.0
    points: Floats = field(default_factory=lambda: np.zeros(1))
    weights: Floats = field(default_factory=lambda: np.ones(1))
    drift: float = 0.0

    def chance(self, share: float, limit: float) -> float:
        """Chance to be at or beyond the limit for |Z| at the next look."""
        edge, middle, deviation = self._next(share, limit)
        return float(self.weights @ (ndtr((-edge - middle) / deviation) + ndtr((middle - edge) / deviation)))

    def limit(self, share: float, chance: float) -> float:
        """The limit for |Z| that is reached with this chance at the next look."""
        if self.chance(share, NEVER) >= chance:
            return NEVER
        return float(brentq(lambda limit: self.chance(share, limit) - chance, 0.0, NEVER, xtol=1e-11))

    def after(self, share: float, limit: float) -> _Walk:
        """What goes on after the next look."""
        edge, middle, deviation = self._next(share, min(limit, NEVER))
        nodes, sizes = _nodes(math.ceil(POINTS_A_DEVIATION * 2 * edge / deviation / POINTS) * POINTS)
        points = edge * nodes
        density = np.exp(-(((points[:, None] - middle) / deviation) ** 2) / 2) / (
            deviation * math.sqrt(2 * math.pi)
        )
        return _Walk(
            share=share, points=points, weights=edge * sizes * (density @ self.weights), drift=self.drift
        )

    def _next(self, share: float, limit: float) -> tuple[float, Floats, float]:
        """The limit, the mean from each point and the deviation of the motion at the next look."""
        step = share - self.share
        return limit * math.sqrt(share), self.points + self.drift * step, math.sqrt(step)


@lru_cache(maxsize=64)
def _nodes(points: int) -> tuple[Floats, Floats]:
    """Gauss and Legendre's points on [-1, 1] and their weights."""
    return np.polynomial.legendre.leggauss(points)


def _checked(shares: Floats) -> Floats:
    shares = np.asarray(shares, dtype=float)
    if not len(shares) or shares[0] <= 0 or (np.diff(shares) <= 0).any():
        raise ValueError(f"shares of information are {shares.tolist()}; expected are rising ones above 0")
    return shares


# --- Limits that hold at any time ---------------------------------------------------------------------------


def mixture_bounds(shares: Floats, best_at: float = 1.0, alpha: float = ALPHA) -> Floats:
    """Limits for |Z| that hold at all times together, however often one looks (Robbins 1970).

    The normal mixture with weight r: sqrt((1 + r / V) (log(1 + V / r) + 2 log(1 / alpha))) at information V.
    ``best_at`` is the share at which they are as narrow as they can be (Howard et al. 2021, section 3.5).
    """
    weight = best_at * _mixture_weight(alpha)
    ratio = np.asarray(shares, dtype=float) / weight
    return np.sqrt((1 + 1 / ratio) * (np.log1p(ratio) - 2 * math.log(alpha)))


def always_valid_interval(
    estimate: Floats, error: Floats, planned_error: float, alpha: float = ALPHA
) -> Intervals:
    """Limits of differences that hold at all looks together; narrowest where the error is the planned one."""
    half = mixture_bounds((planned_error / error) ** 2, alpha=alpha) * error
    return Intervals(low=estimate - half, high=estimate + half)


def _mixture_weight(alpha: float) -> float:
    """The weight, in units of the information at which the limits are to be narrowest."""
    return float(1 / (-lambertw(-(alpha**2) / math.e, -1).real - 1))
