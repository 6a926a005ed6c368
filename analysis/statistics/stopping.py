"""Studies of several models that are looked at and may stop: what is asked, by which limits, and when it is answered.

Each pair of models is compared by the mixed model of its own ratings, and its Z by limits of ``sequential``, at an
error rate that depends on the question, so that the question's error rate holds over all pairs and looks together:

- one pair: the pair's own.
- all pairs: alpha / P (Bonferroni). The chance to call any two equal models different is at most alpha.
- the best: alpha. A model is called the best where at one look it is ahead of every other one beyond the limit. That is
  wrong most often where two models share the highest mean and all others are far below: then it is one pair's
  comparison, and others can only be further hurdles (Gutmann and Maymin 1987, for one look). That it holds over several
  looks is shown by simulation (tests/analysis/test_stopping.py, bench/stopping.py). What a single pair's Z does says
  nothing about other pairs at this rate.

Shapes: K looks, M models, P pairs.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq
from scipy.special import ndtr, ndtri, stdtr, stdtrit

from analysis.statistics.differences import Differences
from analysis.statistics.means import Floats, Integers, Intervals, WorkerTable
from analysis.statistics.mixed import fit_axis
from analysis.statistics.planning import ALPHA, POWER, Design, pairs_of
from analysis.statistics.sequential import Outcome, Shape, mixture_bounds, outcome, spending_bounds
from analysis.statistics.terms import Question, Rule

#: The largest drift that is looked for: no study is planned for a difference of more standard errors.
STRONGEST = 40.0
#: No chance is taken for smaller: Z stays below 38.
SMALLEST = float(np.finfo(float).tiny)


def error_of_a_pair(question: Question, models: int, alpha: float = ALPHA) -> float:
    """The error rate of each pair's comparison, over all its looks, that keeps the question's at ``alpha``."""
    return alpha / pairs_of(models) if question is Question.ALL_PAIRS else alpha


def limits(rule: Rule, shares: Floats, alpha: float = ALPHA) -> Floats:
    """Limits for |Z| at looks at these shares of the planned information (K,); none depends on a later look."""
    if rule is Rule.ALWAYS_VALID:
        return mixture_bounds(shares, alpha=alpha)
    return spending_bounds(Shape(rule.value), shares, alpha)


def even_shares(looks: int) -> Floats:
    """Looks at equal distances, the last at all of the information."""
    return np.arange(1, looks + 1) / looks


# --- How large a study that is looked at must be ----------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Sized:
    """A pair's comparison with planned looks.

    ``n`` ratings of each model are there at the last look; ``limits`` (K,) are for |Z|; what happens without a
    difference, and with the one that is to be found.
    """

    n: int
    shares: Floats
    limits: Floats
    without: Outcome
    found: Outcome


def sized(
    design: Design, difference: float, rule: Rule, looks: int, *, alpha: float = ALPHA, power: float = POWER
) -> Sized:
    """The smallest study that finds the difference with this power at one of its looks. Raises ValueError."""
    if not (math.isfinite(difference) and difference != 0):
        raise ValueError(f"difference is {difference}; the difference to be found is not 0")
    if not alpha < power < 1:
        raise ValueError(f"power is {power}; wanted is more than the error rate {alpha:g}, below 1")
    shares = even_shares(looks)
    found = limits(rule, shares, alpha)
    drift = float(
        brentq(
            lambda each: outcome(found, shares, each).rejected - power, 0, STRONGEST, xtol=1e-9, rtol=1e-12
        )
    )
    return Sized(
        n=math.ceil(design.error(1) ** 2 * (drift / difference) ** 2 - 1e-6),
        shares=shares,
        limits=found,
        without=outcome(found, shares),
        found=outcome(found, shares, drift),
    )


def power_with(design: Design, difference: float, n: float, sized: Sized) -> float:
    """The chance that the same looks find the difference in a study with n ratings of each model at the last."""
    return outcome(sized.limits, sized.shares, abs(difference) / design.error(n)).rejected


# --- A look ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Compared:
    """Pairs at a look, each (P,): first minus second in points of the scale, its error, degrees of freedom and Z.

    NaN where the mixed model tells nothing.
    """

    first: Integers
    second: Integers
    estimate: Floats
    error: Floats
    df: Floats
    z: Floats


def compared(table: WorkerTable, axis: int, first: Integers, second: Integers) -> Compared:
    """The mixed model's contrasts of these pairs on one axis, each fitted to its own two models' ratings.

    A model that all rate at the scale's end has a small spread. In a model of all ratings it would make the spread of
    the others seem smaller than it is, and pairs of equal models would pass their limits too often.
    """
    found = [_pair(table, axis, *pair) for pair in zip(first.tolist(), second.tolist(), strict=True)]
    estimate, error, df = (np.array(part) for part in zip(*found, strict=True))
    z = normal_scores(estimate / error, df)
    return Compared(first=first, second=second, estimate=estimate, error=error, df=df, z=z)


def _pair(table: WorkerTable, axis: int, first: int, second: int) -> tuple[float, float, float]:
    """Difference, error and degrees of freedom; NaN where the ratings do not tell them."""
    both = np.ix_(range(len(table.count)), [first, second], [axis])
    count, total, squares = (part[both][:, :, 0] for part in (table.count, table.total, table.squares))
    rated = count.sum(axis=1) > 0
    fitted = fit_axis(count[rated], total[rated], squares[rated])
    if len(fitted.compared) < 2:
        return np.nan, np.nan, np.nan
    found = fitted.contrasts(np.array([[1.0, -1.0]]))
    return float(found.estimate[0]), float(found.error[0]), float(found.df[0])


def normal_scores(t: Floats, df: Floats) -> Floats:
    """Z that is as unlikely as Student's t without a difference: small studies do not pass limits of large ones."""
    return -np.sign(t) * ndtri(np.maximum(stdtr(df, -np.abs(t)), SMALLEST))


def passed(z: Floats, limit: float) -> Integers:
    """1 where the first model is ahead beyond the limit, -1 where the second is, else 0; NaN passes nothing."""
    with np.errstate(invalid="ignore"):
        return np.where(np.abs(z) >= limit, np.sign(z), 0).astype(np.int64)


def standing(looks: Sequence[Integers]) -> Integers:
    """What is decided of each pair by the first look at which it passed its limit (P,)."""
    decided = np.zeros_like(looks[0])
    for each in looks:
        decided = np.where(decided == 0, each, decided)
    return decided


def decided_by(question: Question, looks: Sequence[Integers]) -> Integers:
    """What the looks so far decide of each pair (P,): for the best, the last look alone."""
    return looks[-1] if question is Question.BEST else standing(looks)


def leader(first: Integers, second: Integers, decided: Integers, models: int) -> int | None:
    """The model that is ahead of every other one; None where there is none."""
    beaten = np.bincount(np.where(decided > 0, first, second)[decided != 0], minlength=models)
    ahead = np.flatnonzero(beaten == models - 1)
    return int(ahead[0]) if len(ahead) else None


def is_answered(
    question: Question, first: Integers, second: Integers, decided: Integers, models: int
) -> bool:
    """Whether the looks so far answer the question: the best is known, or each pair that is asked about decided."""
    if question is Question.BEST:
        return leader(first, second, decided, models) is not None
    return bool((decided != 0).all())


# --- At any time -------------------------------------------------------------------------------------------------


def of_differences(found: Differences, axis: int) -> Compared:
    """All pairs on one axis, as differences of means with errors that know of workers tell them."""
    estimate, error, df = (part[:, axis] for part in (found.estimate, found.error, found.df))
    z = normal_scores(estimate / error, df)
    return Compared(first=found.first, second=found.second, estimate=estimate, error=error, df=df, z=z)


def at_any_time(found: Compared, share: float, alpha: float, widest: float = math.inf) -> Intervals:
    """Limits of differences that hold at all times together, each pair at its ``alpha``; (P,).

    ``share`` is what is there of the planned information, at all of which the limits are narrowest. No difference is
    larger than ``widest``, and so no limit. NaN where the ratings tell nothing.
    """
    limit = mixture_bounds(np.array([share]), alpha=alpha)[0]
    quantile = stdtrit(found.df, ndtr(-limit))
    # Beyond 1e308 the quantile is given as plus infinity.
    half = np.where(np.isposinf(quantile), np.inf, -quantile) * found.error
    return Intervals(
        low=np.maximum(found.estimate - half, -widest), high=np.minimum(found.estimate + half, widest)
    )
