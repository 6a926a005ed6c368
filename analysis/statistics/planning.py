"""How many ratings a study needs, and what a number of ratings can tell.

A study compares models with a mixed model of ratings with random workers. What a difference costs depends on the
spread of ratings, on the share of it that is between workers, and on how talks are dealt to them: what workers
rate in pairs of models cancels their leniency. Normal approximation; n is the number of ratings of each model.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from scipy.optimize import brentq
from scipy.special import ndtr, ndtri

from analysis.statistics.terms import Dealing as Dealing

ALPHA, POWER = 0.05, 0.8
#: With fewer ratings of each model the normal approximation promises too much: power .8 is .76 with 10, .35 with 2.
FEWEST = 10


@dataclass(frozen=True, slots=True)
class Design:
    """What is assumed of a study.

    ``sd`` is the spread of a model's ratings in points of the scale, ``icc`` the share of its square that is between
    workers, 0 to 1, ``talks`` the mean number of talks a worker holds, over all models. In a complete block every
    worker rates every model equally often.
    """

    sd: float
    icc: float
    talks: float = 1.0
    dealing: Dealing = Dealing.RANDOM

    def __post_init__(self) -> None:
        if not (math.isfinite(self.sd) and self.sd > 0):
            raise ValueError(f"sd is {self.sd}; a spread is above 0")
        if not 0 <= self.icc < 1:
            raise ValueError(f"icc is {self.icc}; a share of the variance is from 0 to below 1")
        if not (math.isfinite(self.talks) and self.talks >= 1):
            raise ValueError(f"talks is {self.talks}; a worker holds at least 1 talk")
        if self.dealing is Dealing.COMPLETE_BLOCK and self.talks < 2:
            raise ValueError(f"talks is {self.talks}; in a complete block a worker rates at least 2 models")

    @property
    def deflation(self) -> float:
        """Variance of a difference over what it would be with one talk a worker.

        With m talks dealt at random a worker's ratings have the inverse covariance I - k 11' (k = λ / (1 + λ m),
        λ = icc / (1 - icc)), and a share 1 - k of each rating tells differences; in a complete block all of it does.
        """
        if self.dealing is Dealing.COMPLETE_BLOCK:
            return 1 - self.icc
        ratio = self.icc / (1 - self.icc)
        return (1 - self.icc) / (1 - ratio / (1 + ratio * self.talks))

    def error(self, n: float) -> float:
        """Standard error of the difference of two models with n ratings each."""
        return self.sd * math.sqrt(2 * self.deflation / n)


def pairs_of(models: int) -> int:
    """How many pairs of models a study compares."""
    return models * (models - 1) // 2


def power(
    design: Design, difference: float, n: float, *, alpha: float = ALPHA, comparisons: int = 1
) -> float:
    """The chance that a two-sided test finds a difference that is there, by Bonferroni over ``comparisons``."""
    shift, limit = abs(difference) / design.error(n), _limit(alpha, comparisons)
    return float(ndtr(shift - limit) + ndtr(-shift - limit))


def ratings_needed(
    design: Design,
    difference: float,
    *,
    power: float = POWER,
    alpha: float = ALPHA,
    comparisons: int = 1,
) -> int:
    """The smallest n with at least this power."""
    if not (math.isfinite(difference) and difference != 0):
        raise ValueError(f"difference is {difference}; the difference to be found is not 0")
    shift = _shift(power, alpha, comparisons)
    return math.ceil(design.error(1) ** 2 * (shift / difference) ** 2 - 1e-9)


def detectable(
    design: Design, n: float, *, power: float = POWER, alpha: float = ALPHA, comparisons: int = 1
) -> float:
    """The smallest difference, in points of the scale, that n ratings a model find with this power."""
    if not n >= 1:
        raise ValueError(f"n is {n}; each model needs at least 1 rating")
    return _shift(power, alpha, comparisons) * design.error(n)


def workers_needed(design: Design, n: int, models: int) -> int:
    """How many workers give n ratings of each of so many models."""
    return math.ceil(n * models / design.talks - 1e-9)


def _limit(alpha: float, comparisons: int) -> float:
    if not 0 < alpha < 1:
        raise ValueError(f"alpha is {alpha}; an error rate is between 0 and 1")
    if comparisons < 1:
        raise ValueError(f"comparisons is {comparisons}; at least 1 is made")
    return float(-ndtri(alpha / comparisons / 2))


def _shift(power: float, alpha: float, comparisons: int) -> float:
    """How many standard errors a difference must be to be found with this power, either tail counted."""
    limit = _limit(alpha, comparisons)
    if not alpha / comparisons < power < 1:
        raise ValueError(
            f"power is {power}; wanted is more than the error rate {alpha / comparisons:g}, below 1"
        )
    return float(
        brentq(lambda shift: ndtr(shift - limit) + ndtr(-shift - limit) - power, 0, limit + 40, xtol=1e-12)
    )
