"""What else moves ratings: where a talk's context came from, how long it was, how fast the model answered.

One regression of an axis' ratings on the models and all covariates together, with errors clustered by worker
(``analysis/statistics/clustered.py``). Covariates are observed, not dealt: an effect here is an association.

Shapes: N ratings, M models, L covariate columns.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from analysis.statistics.clustered import Clustered, Effects
from analysis.statistics.means import LEVEL, Floats, Integers


class Left(StrEnum):
    """Why a column is not in the regression."""

    NONE = ""
    NO_VARIATION = "no_variation"
    BASELINE = "baseline"


@dataclass(frozen=True, slots=True)
class Factor:
    """A covariate with levels; ``code`` (N,) counts from 0, -1 where it is not known.

    The baseline is the first level that has ratings.
    """

    name: str
    levels: tuple[str, ...]
    code: Integers

    @property
    def known(self) -> NDArray[np.bool_]:
        return self.code >= 0

    def baseline(self, known: NDArray[np.bool_]) -> str:
        """Of the ratings that are known; empty where there are none."""
        return next(
            (level for place, level in enumerate(self.levels) if (self.code[known] == place).any()), ""
        )

    def columns(self) -> Iterator[tuple[str, Floats]]:
        for place, level in enumerate(self.levels):
            yield level, (self.code == place).astype(float)


@dataclass(frozen=True, slots=True)
class Number:
    """A covariate that counts or measures; ``value`` (N,), NaN where it is not known. Effects are of one ``unit``."""

    name: str
    unit: str
    value: Floats

    @property
    def known(self) -> NDArray[np.bool_]:
        return np.isfinite(self.value)

    def baseline(self, known: NDArray[np.bool_]) -> str | None:
        """There is none."""
        return None

    def columns(self) -> Iterator[tuple[str, Floats]]:
        yield self.unit, self.value


@dataclass(frozen=True, slots=True)
class CovariateEffect:
    """Points of the scale that a level is above its baseline, or one unit more adds; NaN where ``left`` says why.

    ``against`` is the baseline, empty where a unit is told.
    """

    name: str
    level: str
    against: str
    estimate: float
    error: float
    df: float
    p: float
    low: float
    high: float
    left: Left


@dataclass(frozen=True, slots=True)
class Covariates:
    """The regression of one axis.

    ``means`` are the models' means (M,) at the average of all covariates, NaN for models without ratings; ``ratings``
    took part, ``unknown`` did not because a covariate of theirs is not known.
    """

    effects: tuple[CovariateEffect, ...]
    means: Effects
    ratings: int
    unknown: int


def doublings(seconds: Floats) -> Floats:
    """Log to base 2, so that an effect is that of twice the time; NaN where no time was taken."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(seconds > 0, np.log2(seconds), np.nan)


def covariate_effects(
    score: Floats,
    model: Integers,
    worker: Integers,
    covariates: Sequence[Factor | Number],
    models: int,
    level: float = LEVEL,
) -> Covariates:
    """Fit one axis; the first three have one entry a rating, models count from 0.

    Raises NotEstimable where one covariate is a sum of others or of the models, or one worker gave all ratings.
    """
    return Regression.of(model, worker, covariates, models).effects(score, level)


@dataclass(frozen=True, slots=True)
class Regression:
    """Models and covariates of some ratings, before any is looked at: axes that were rated together share one.

    ``known`` (N,) tells the ratings that take part, ``left`` why a column does not, ``baselines`` what each column is
    told against, ``rated`` the models that have ratings; ``df`` are the coefficients' degrees of freedom.
    """

    models: int
    known: NDArray[np.bool_]
    columns: tuple[tuple[Factor | Number, str], ...]
    left: tuple[Left, ...]
    baselines: tuple[str | None, ...]
    rated: NDArray[np.int64]
    clustered: Clustered
    df: Floats

    @classmethod
    def of(
        cls, model: Integers, worker: Integers, covariates: Sequence[Factor | Number], models: int
    ) -> Regression:
        """Raises NotEstimable as ``covariate_effects`` does."""
        known = np.logical_and.reduce([np.ones(len(model), dtype=bool), *(each.known for each in covariates)])
        columns = [(each, label, values[known]) for each in covariates for label, values in each.columns()]
        baselines = tuple(each.baseline(known) for each, _, _ in columns)
        left = tuple(
            _left(values, label, baseline)
            for (_, label, values), baseline in zip(columns, baselines, strict=True)
        )
        used = [values - values.mean() for (_, _, values), why in zip(columns, left, strict=True) if not why]
        rated = np.flatnonzero(np.bincount(model[known], minlength=models))
        design = np.column_stack([np.eye(models)[model[known]][:, rated], *used])
        clustered = Clustered.of(design, worker[known], _names(len(rated), columns, left))
        return cls(
            models=models,
            known=known,
            columns=tuple((each, label) for each, label, _ in columns),
            left=left,
            baselines=baselines,
            rated=rated,
            clustered=clustered,
            df=clustered.degrees(np.eye(design.shape[1])),
        )

    def effects(self, score: Floats, level: float = LEVEL) -> Covariates:
        """What moves these ratings (N,)."""
        found = self.clustered.fit(score[self.known]).contrasts(np.eye(len(self.df)), self.df)
        return Covariates(
            effects=tuple(_effects(self, found, level)),
            means=_spread(found, self.rated, self.models),
            ratings=int(self.known.sum()),
            unknown=int((~self.known).sum()),
        )


def _names(
    rated: int, columns: Sequence[tuple[Factor | Number, str, Floats]], left: Sequence[Left]
) -> list[str]:
    """Of the columns of a design, in words."""
    used = [f"{each.name} ({label})" for (each, label, _), why in zip(columns, left, strict=True) if not why]
    return ["a model"] * rated + used


def _left(values: Floats, label: str, baseline: str | None) -> Left:
    if label == baseline:
        return Left.BASELINE
    return Left.NONE if len(values) and np.ptp(values) > 0 else Left.NO_VARIATION


def _effects(fitted: Regression, found: Effects, level: float) -> Iterator[CovariateEffect]:
    """The columns' effects in their order; they stand behind the models in the regression."""
    limits, p, place = found.interval(level), found.p, len(fitted.rated)
    parts = (found.estimate, found.error, found.df, p, limits.low, limits.high)
    for (covariate, label), why, against in zip(fitted.columns, fitted.left, fitted.baselines, strict=True):
        estimate, error, df, of_effect, low, high = (np.nan if why else float(part[place]) for part in parts)
        if why != Left.BASELINE:
            yield CovariateEffect(
                name=covariate.name,
                level=label,
                against=against or "",
                estimate=estimate,
                error=error,
                df=df,
                p=of_effect,
                low=low,
                high=high,
                left=why,
            )
        place += not why


def _spread(found: Effects, rated: NDArray[np.int64], models: int) -> Effects:
    """The models' coefficients at their places among all models."""
    estimate, error, df = np.full((3, models), np.nan)
    for whole, part in ((estimate, found.estimate), (error, found.error), (df, found.df)):
        whole[rated] = part[: len(rated)]
    return Effects(estimate=estimate, error=error, df=df)
