"""Differences between models: what every kind of contrast gives, and corrections for testing many at once.

Shapes: M models, P = M (M - 1) / 2 pairs, A axes.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtr, stdtrit

from analysis.statistics import studentized_range
from analysis.statistics.means import LEVEL, Floats, Integers, Intervals


class Untested(StrEnum):
    """Why a pair has no test."""

    NONE = ""
    NO_RATINGS = "no_ratings"
    ONE_WORKER = "one_worker"
    NO_VARIANCE = "no_variance"
    NOT_LINKED = "not_linked"
    TOO_FEW_RATINGS = "too_few_ratings"


@dataclass(frozen=True, slots=True)
class Differences:
    """First model minus second, pair by pair; ``first`` and ``second`` are (P,), all else (P, A).

    Where ``untested`` names a reason, ``error`` and ``df`` are NaN, and so is all that follows from them.
    """

    first: Integers
    second: Integers
    estimate: Floats
    error: Floats
    df: Floats
    untested: NDArray[np.object_]

    @property
    def t(self) -> Floats:
        return self.estimate / self.error

    @property
    def p(self) -> Floats:
        """Two-sided p-values by Student's distribution, of each pair by itself."""
        return 2 * stdtr(self.df, -np.abs(self.t))

    def interval(self, level: float = LEVEL) -> Intervals:
        """Limits of each pair by itself."""
        return self._around(stdtrit(self.df, (1 + level) / 2))

    @property
    def family(self) -> Integers:
        """How many models have a tested pair on each axis, (A,): the size of Tukey's family."""
        tested = self.untested == Untested.NONE
        models = int(self.second.max(initial=-1)) + 1
        taking_part = [
            (tested & ((self.first == model) | (self.second == model))[:, None]).any(axis=0)
            for model in range(models)
        ]
        return (
            np.sum(taking_part, axis=0, dtype=np.int64)
            if models
            else np.zeros(tested.shape[1], dtype=np.int64)
        )

    def tukey_p(self) -> Floats:
        """p-values of Tukey's honest significant difference, with each pair's own degrees of freedom.

        Tukey 1953 and Kramer 1956: the studentized range of all models that are compared.
        """
        reached = np.sqrt(2) * np.abs(self.t)
        return studentized_range.survival(reached, np.broadcast_to(self.family, reached.shape), self.df)

    def tukey_interval(self, level: float = LEVEL) -> Intervals:
        """Limits that hold for all pairs of an axis at once."""
        family = np.broadcast_to(self.family, self.df.shape)
        return self._around(studentized_range.quantile(level, family, self.df) / np.sqrt(2))

    def _around(self, quantile: Floats) -> Intervals:
        half = quantile * self.error
        return Intervals(low=self.estimate - half, high=self.estimate + half)


def pairs(models: int) -> tuple[Integers, Integers]:
    """Indices of the first and the second model of all pairs, in the order of the models; each (P,)."""
    first, second = np.triu_indices(models, 1)
    return first.astype(np.int64), second.astype(np.int64)


def holm(p: Floats) -> Floats:
    """Holm's step-down adjustment (Holm 1979) along the first axis; NaN are no tests and stay NaN."""
    order, ranked, tests = _ranked(p)
    rank = np.arange(len(p)).reshape(-1, *[1] * (p.ndim - 1))
    return _unranked(order, np.maximum.accumulate((tests - rank) * ranked, axis=0))


def benjamini_hochberg(p: Floats) -> Floats:
    """Adjustment for the false discovery rate (Benjamini and Hochberg 1995), as ``holm`` is used."""
    order, ranked, tests = _ranked(p)
    rank = np.arange(1, len(p) + 1).reshape(-1, *[1] * (p.ndim - 1))
    scaled = np.where(np.isnan(ranked), np.inf, ranked * tests / rank)
    lowest = np.minimum.accumulate(scaled[::-1], axis=0)[::-1]
    return _unranked(order, np.where(np.isnan(ranked), np.nan, lowest))


def _ranked(p: Floats) -> tuple[Integers, Floats, Integers]:
    """The order, the sorted values with NaN at the end, and the number of tests."""
    order = np.argsort(p, axis=0)
    return order, np.take_along_axis(p, order, axis=0), np.isfinite(p).sum(axis=0)


def _unranked(order: Integers, values: Floats) -> Floats:
    given = np.empty_like(values)
    np.put_along_axis(given, order, np.minimum(values, 1), axis=0)
    return given
