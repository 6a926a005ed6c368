"""Do people agree? Krippendorff's alpha, Fleiss' kappa, agreement, and the share of variance between workers.

Alpha and kappa need units that several people judged; where every conversation has one rater, the share of the
ratings' variance that is between workers is what can be said (``worker_share``).

Shapes: U units, V values (categories in their order), A axes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import chdtri

from analysis.statistics import mixed, reml
from analysis.statistics.bootstrap import draws, percentile
from analysis.statistics.differences import Untested
from analysis.statistics.means import LEVEL, Floats, Integers, WorkerTable

REPLICATES = 2_000
#: Replicates that are computed at once.
AT_ONCE = 250
#: So many units are drawn by how they were judged: those that were judged alike are alike for every coefficient.
MANY_UNITS = 5_000
#: Numbers in all units' coincidence matrices, 8 bytes each.
MOST_COINCIDENCES = 2**25


class Metric(StrEnum):
    """How far apart two values are."""

    NOMINAL = "nominal"
    ORDINAL = "ordinal"
    INTERVAL = "interval"


class NoAgreement(StrEnum):
    """Why there is no coefficient."""

    NONE = ""
    NO_OVERLAP = "no_overlap"
    ONE_VALUE = "one_value"
    ONE_UNIT = "one_unit"
    TOO_MANY_VALUES = "too_many_values"


@dataclass(frozen=True, slots=True)
class Agreement:
    """A coefficient with limits from a bootstrap over units.

    ``units`` and ``judgements`` count what could be compared: units with at least two judgements. ``why`` says why
    ``value`` is NaN, or, with one unit, why the limits are.
    """

    value: float
    low: float
    high: float
    units: int
    judgements: int
    why: NoAgreement


def value_counts(unit: Integers, value: Integers, units: int, values: int) -> Floats:
    """How often each unit was given each value, (U, V), from one entry a judgement; both count from 0."""
    cell = unit * values + value
    return np.bincount(cell, minlength=units * values).reshape(units, values).astype(float)


# --- Coefficients of many judgements of the same units ------------------------------------------------------


def krippendorff_alpha(
    counts: Floats,
    metric: Metric,
    values: Floats | None = None,
    *,
    replicates: int = REPLICATES,
    seed: int = 0,
    level: float = LEVEL,
) -> Agreement:
    """Krippendorff's alpha (Krippendorff 2019, chapter 12) of value counts (U, V): 1 agrees, 0 is chance.

    ``values`` (V,) are the numbers of the interval metric, 0, 1, 2, ... without it. Units judged once tell nothing
    and are left out.
    """
    places = np.arange(counts.shape[1], dtype=float) if values is None else np.asarray(values, dtype=float)
    drawn = _Drawn(replicates, seed, level)
    return _bootstrapped(counts, coincidences, lambda sums: alpha_of(sums, metric, places), drawn)


def fleiss_kappa(
    counts: Floats, *, replicates: int = REPLICATES, seed: int = 0, level: float = LEVEL
) -> Agreement:
    """Fleiss' kappa (Fleiss 1971) of value counts (U, V), for any number of judgements a unit.

    Units count alike in the observed agreement, and judgements in the shares of values; with the same number of
    judgements everywhere this is Fleiss' own.
    """

    def parts(comparable: Floats) -> Floats:
        agreeing = agreeing_share(comparable)[:, None]
        return np.concatenate([np.ones_like(agreeing), agreeing, comparable], axis=1)

    return _bootstrapped(counts, parts, _kappa, _Drawn(replicates, seed, level))


def pairwise_agreement(
    counts: Floats, *, replicates: int = REPLICATES, seed: int = 0, level: float = LEVEL
) -> Agreement:
    """The share, 0 to 1, of pairs of judgements of one unit that are the same; not corrected for chance."""

    def pairs(comparable: Floats) -> Floats:
        judged = comparable.sum(axis=1)
        return np.stack([(comparable * (comparable - 1)).sum(axis=1), judged * (judged - 1)], axis=1)

    drawn = _Drawn(replicates, seed, level)
    return _bootstrapped(counts, pairs, lambda sums: sums[:, 0] / sums[:, 1], drawn)


def _comparable(counts: Floats) -> Floats:
    return counts[counts.sum(axis=1) > 1].astype(float)


def coincidences(counts: Floats) -> Floats:
    """Each unit's share in the coincidence matrix, (U, V * V); each was judged at least twice."""
    pairs = counts[:, :, None] * counts[:, None, :] - counts[:, :, None] * np.eye(counts.shape[1])
    return (pairs / (counts.sum(axis=1) - 1)[:, None, None]).reshape(len(counts), counts.shape[1] ** 2)


def alpha_of(sums: Floats, metric: Metric, places: Floats) -> Floats:
    """Alpha of coincidence matrices (B, V * V), (B,)."""
    observed = sums.reshape(-1, len(places), len(places))
    margin = observed.sum(axis=2)
    total = margin.sum(axis=1)
    far = _distances(margin, metric, places)
    apart = (observed * far).sum(axis=(1, 2))
    expected = np.einsum("bv,bw,bvw->b", margin, margin, far) / (total - 1)
    return 1 - apart / expected


def _distances(margin: Floats, metric: Metric, places: Floats) -> Floats:
    """Squared distances of all pairs of values, (B, V, V); the ordinal ones depend on how often values occur."""
    values = len(places)
    if metric is Metric.ORDINAL:
        middle = margin.cumsum(axis=1) - margin / 2  # the middle rank of each value
        return (middle[:, :, None] - middle[:, None, :]) ** 2
    far = 1 - np.eye(values) if metric is Metric.NOMINAL else (places[:, None] - places) ** 2
    return np.broadcast_to(far, (len(margin), values, values))


def agreeing_share(counts: Floats) -> Floats:
    """The share of a unit's pairs of judgements that are the same, (U,); NaN where there is no pair."""
    judged = counts.sum(axis=1)
    with np.errstate(invalid="ignore"):
        return (counts * (counts - 1)).sum(axis=1) / (judged * (judged - 1))


def _kappa(sums: Floats) -> Floats:
    """Kappa of sums over units (B, 2 + V): units, their agreeing shares, judgements by value."""
    observed = sums[:, 1] / sums[:, 0]
    share = sums[:, 2:] / sums[:, 2:].sum(axis=1, keepdims=True)
    expected = (share**2).sum(axis=1)
    return (observed - expected) / (1 - expected)


@dataclass(frozen=True, slots=True)
class _Drawn:
    """How limits are drawn."""

    replicates: int
    seed: int
    level: float


def _bootstrapped(
    counts: Floats,
    parts_of: Callable[[Floats], Floats],
    coefficient: Callable[[Floats], Floats],
    drawn: _Drawn,
) -> Agreement:
    """A coefficient of sums of units' parts, and of the sums over units drawn with replacement.

    ``parts_of`` makes rows of parts from rows of counts; ``coefficient`` takes sums (B, P) and gives (B,).
    """
    comparable = _comparable(counts)
    kinds, times = _kinds(comparable)
    why = _why_not(kinds, len(comparable))
    if why not in (NoAgreement.NONE, NoAgreement.ONE_UNIT):
        return Agreement(np.nan, np.nan, np.nan, len(comparable), int(comparable.sum()), why)
    parts = parts_of(kinds)
    value = float(coefficient((times @ parts)[None])[0])
    generator, found = np.random.default_rng(drawn.seed), np.empty(drawn.replicates)
    for begin in range(0, drawn.replicates, AT_ONCE):
        rows = slice(begin, min(begin + AT_ONCE, drawn.replicates))
        with np.errstate(divide="ignore", invalid="ignore"):
            found[rows] = coefficient(_draws(generator, rows.stop - rows.start, times) @ parts)
    limits = percentile(found, drawn.level)
    return Agreement(
        value, float(limits.low), float(limits.high), len(comparable), int(comparable.sum()), why
    )


def _kinds(comparable: Floats) -> tuple[Floats, Floats]:
    """Rows of counts, and how many units have them: of few units each its own row."""
    if len(comparable) < MANY_UNITS:
        return comparable, np.ones(len(comparable))
    kinds, times = np.unique(comparable, axis=0, return_counts=True)
    return kinds, times.astype(float)


def _draws(generator: np.random.Generator, replicates: int, times: Floats) -> Floats:
    """How often units of each kind are drawn in as many draws as there are units, (B, kinds)."""
    units = int(times.sum())
    if len(times) == units:
        return draws(generator, replicates, units)
    return generator.multinomial(units, times / units, size=replicates).astype(float)


def _why_not(kinds: Floats, units: int) -> NoAgreement:
    if not units:
        return NoAgreement.NO_OVERLAP
    if (kinds.sum(axis=0) > 0).sum() < 2:
        return NoAgreement.ONE_VALUE
    if kinds.size * kinds.shape[1] > MOST_COINCIDENCES:
        return NoAgreement.TOO_MANY_VALUES
    return NoAgreement.ONE_UNIT if units == 1 else NoAgreement.NONE


# --- One rater a conversation -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class WorkerShare:
    """The share of the variance of an axis' ratings that is between workers (intraclass correlation), 0 to 1."""

    icc: Floats
    low: Floats
    high: Floats
    untested: NDArray[np.object_]


def worker_share(table: WorkerTable, level: float = LEVEL) -> WorkerShare:
    """The correlation of two ratings by one worker beyond their models, each (A,), with profile likelihood limits.

    The limits are where REML's deviance is chi-squared's quantile with one degree of freedom above its lowest; zero
    where it is not that high even there. NaN without workers who rated twice.
    """
    icc, low, high = np.full((3, table.count.shape[2]), np.nan)
    untested = np.full(len(icc), Untested.NONE, dtype=object)
    for axis in range(len(icc)):
        count, total, squares = (part[:, :, axis] for part in (table.count, table.total, table.squares))
        fitted = mixed.fit_axis(count, total, squares)
        untested[axis] = fitted.untested
        if np.isnan(fitted.var_worker):
            untested[axis] = fitted.untested or Untested.TOO_FEW_RATINGS
            continue
        rated = count.sum(axis=0) > 0
        sums = reml.sums(count[:, rated], total[:, rated], squares[:, rated])
        icc[axis] = fitted.icc
        low[axis], high[axis] = _profile_limits(sums, fitted.ratio, level)
    return WorkerShare(icc=icc, low=low, high=high, untested=untested)


def _profile_limits(sums: reml.Sums, ratio: float, level: float) -> tuple[float, float]:
    """Limits of the correlation from the deviance of its ratio of variances."""
    highest = reml.at(sums, ratio).deviance + float(chdtri(1, 1 - level))

    def above(share: float) -> float:
        return reml.at(sums, share / (1 - share)).deviance - highest

    best = ratio / (1 + ratio)
    far = float(mixed.RATIOS[-1] / (1 + mixed.RATIOS[-1]))
    low = float(brentq(above, 0.0, best, xtol=1e-12)) if best > 0 and above(0.0) > 0 else 0.0
    high = float(brentq(above, best, far, xtol=1e-12)) if best < far and above(far) > 0 else 1.0
    return low, high
