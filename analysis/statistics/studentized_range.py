"""Tukey's studentized range: the largest difference among k independent normal means, over their common error.

Q = (max z_i - min z_i) / s with k standard normal z and df s^2 chi-squared with df degrees of freedom. Both
integrals are trapezoid sums over smooth functions that vanish at both ends, whose error falls exponentially with
the number of points.
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
from numpy.polynomial import Chebyshev
from scipy.optimize import brentq
from scipy.special import gammainccinv, gammaincinv, gammaln, ndtr, stdtrit

from analysis.statistics.means import Floats, Integers

#: Points of the two sums, of the second by degrees of freedom: the fewer these are, the wider its density.
Z_POINTS = 160
S_POINTS = ((20, 48), (5, 96), (3, 144), (2, 192), (1, 384), (0, 2_048))
#: Beyond this the normal density is below 1e-16.
Z_END = 8.6
#: What the spread's distribution leaves out at either end.
TAIL = 1e-15
#: Above as many degrees of freedom the spread counts as known; more than the second are none.
MANY, FOR_EVER = 1e8, 1e12
#: Of the polynomial that gives quantiles for more degrees of freedom than it has coefficients.
DEGREE = 40


def survival(q: Floats, means: Integers, df: Floats) -> Floats:
    """P(Q > q) elementwise, to about 1e-12; NaN where any argument is, or fewer than two means are compared."""
    found = np.full(np.shape(df), np.nan)
    for place in np.ndindex(found.shape):
        if means[place] > 1 and df[place] > 0 and not np.isnan(q[place]):
            found[place] = _survival(float(q[place]), int(means[place]), float(df[place]))
    return found


def _survival(q: float, means: int, df: float) -> float:
    return max(1 - _cdf(q, means, df), 0.0) if math.isfinite(q) else 0.0


def quantile(level: float, means: Integers, df: Floats) -> Floats:
    """The q with P(Q <= q) = level, elementwise, to about 1e-8; NaN as ``survival`` is."""
    found = np.full(np.shape(df), np.nan)
    for number in np.unique(means[means > 1]).tolist():
        asked = (means == number) & (df > 0)
        found[asked] = _quantiles(level, number, df[asked])
    return found


def _quantiles(level: float, means: int, df: Floats) -> Floats:
    """Many different degrees of freedom above 1 share a polynomial."""
    given, place = np.unique(np.minimum(df, FOR_EVER), return_inverse=True)
    shared = given >= 1
    if np.count_nonzero(shared) <= DEGREE + 1:
        shared[:] = False
    found = np.empty(len(given))
    found[~shared] = [_quantile(level, means, each) for each in given[~shared].tolist()]
    if shared.any():
        found[shared] = _through_a_few(level, means, given[shared])
    return found[place]


def _through_a_few(level: float, means: int, df: Floats) -> Floats:
    """Log q is smooth in 1 / df: a polynomial through Chebyshev's points gives all of these sorted degrees."""

    def logs(inverse: Floats) -> Floats:
        return np.log([_quantile(level, means, 1 / each) for each in inverse.tolist()])

    return np.exp(Chebyshev.interpolate(logs, DEGREE, domain=[1 / df[-1], 1 / df[0]])(1 / df))


def _quantile(level: float, means: int, df: float) -> float:
    """Between the values for one pair and Bonferroni's for all pairs."""
    tail = (1 - level) / 2
    low, high = (math.sqrt(2) * float(stdtrit(df, 1 - tail / q)) for q in (1, means * (means - 1) / 2))
    if means == 2:
        return low
    return float(brentq(lambda q: _cdf(q, means, df) - level, low - 1e-6, high + 1e-6, xtol=1e-10))


def _cdf(q: float, means: int, df: float) -> float:
    if df > MANY:
        return float(_range_cdf(np.array([q]), means)[0])
    spread, weight = _spread(df)
    return float(weight @ _range_cdf(q * spread, means))


def _range_cdf(width: Floats, means: int) -> Floats:
    """P(max - min <= w) of k standard normals: k times the integral of phi(z) (Phi(z) - Phi(z - w))^(k - 1)."""
    z, density, below = _normal()
    inside = below - ndtr(z - width[:, None])  # (widths, points)
    return means * (inside ** (means - 1)) @ density


@lru_cache(maxsize=1)
def _normal() -> tuple[Floats, Floats, Floats]:
    """Points, the density times their distance, and the distribution there."""
    z = np.linspace(-Z_END, Z_END, Z_POINTS)
    return z, np.exp(-(z**2) / 2) / math.sqrt(2 * math.pi) * (z[1] - z[0]), ndtr(z)


@lru_cache(maxsize=4096)
def _spread(df: float) -> tuple[Floats, Floats]:
    """Points of s and their weights: a trapezoid sum over log s, whose density vanishes at both ends."""
    ends = np.array([gammaincinv(df / 2, TAIL), gammainccinv(df / 2, TAIL)])  # of chi-squared / 2
    low, high = 0.5 * np.log(2 * ends / df)
    logs = np.linspace(low, high, next(points for least, points in S_POINTS if df >= least))
    log_density = (
        math.log(2) + df / 2 * math.log(df / 2) - gammaln(df / 2) + df * logs - df / 2 * np.exp(2 * logs)
    )
    weight = np.exp(log_density) * (logs[1] - logs[0])
    return np.exp(logs), weight / weight.sum()
