"""How lenient each worker is, and what the models' means would be if all workers were alike.

Leniency adjusts results; it excludes nobody: a lenient worker is no bad worker.

Shapes: W workers, M models, A axes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from analysis.statistics.means import LEVEL, Floats, Intervals, WorkerTable
from analysis.statistics.mixed import MixedModel


@dataclass(frozen=True, slots=True)
class Leniency:
    """Workers' effects in points of the scale, each (W, A); NaN where there is no mixed model of the axis.

    ``effect`` is the best linear unbiased predictor: what the worker gave above the models' means, shrunken towards
    zero; ``shrinkage`` is the share that is kept, 0 to 1. ``error`` is the standard error of effect minus truth.
    Workers without ratings on the axis have effect 0 and the whole spread of workers as error.
    """

    effect: Floats
    error: Floats
    shrinkage: Floats


@dataclass(frozen=True, slots=True)
class AdjustedMeans:
    """Means as they were given, and as an average worker would give them; each (M, A)."""

    raw: Floats
    adjusted: Floats
    interval: Intervals

    @property
    def shift(self) -> Floats:
        """Positive where a model met severe workers."""
        return self.adjusted - self.raw


def leniency(table: WorkerTable, fitted: Sequence[MixedModel]) -> Leniency:
    """Workers' effects from the mixed model of each axis (Henderson 1975; Robinson 1991)."""
    of_axes = [
        _axis(table.count[:, :, axis], table.total[:, :, axis], model) for axis, model in enumerate(fitted)
    ]
    effect, error, shrinkage = (np.stack(parts, axis=1) for parts in zip(*of_axes, strict=True))
    return Leniency(effect=effect, error=error, shrinkage=shrinkage)


def adjusted_means(table: WorkerTable, fitted: Sequence[MixedModel], level: float = LEVEL) -> AdjustedMeans:
    """Raw means beside the mixed model's, which are the means of ratings less their workers' effects."""
    with np.errstate(invalid="ignore"):
        raw = table.total.sum(axis=0) / table.count.sum(axis=0)
    limits = [model.model_means().interval(level) for model in fitted]
    return AdjustedMeans(
        raw=raw,
        adjusted=np.stack([model.means for model in fitted], axis=1),
        interval=Intervals(
            low=np.stack([each.low for each in limits], axis=1),
            high=np.stack([each.high for each in limits], axis=1),
        ),
    )


def _axis(count: Floats, total: Floats, model: MixedModel) -> tuple[Floats, Floats, Floats]:
    """Effects, errors and shrinkage of one axis, each (W,).

    With N ratings the effect is k (S - expected sum), k = λ / (1 + λ N). Its error has two parts: what is not known of
    the worker, and what is not known of the models' means.
    """
    load = count.sum(axis=1)
    k = model.ratio / (1 + model.ratio * load)
    effect = k * (total.sum(axis=1) - count @ np.nan_to_num(model.means))
    of_means = np.einsum("wm,mk,wk->w", count, np.nan_to_num(model.covariance), count)
    return effect, np.sqrt(model.var_residual * k + k**2 * of_means), k * load
