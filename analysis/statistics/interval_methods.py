"""Table 7's intervals by name: the default, and what other papers use."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from analysis.statistics.bootstrap import REPLICATES, bootstrap_means, percentile
from analysis.statistics.means import (
    LEVEL,
    PAPER_SCALE,
    Cells,
    Gap,
    Intervals,
    Scale,
    WorkerTable,
    t_cr2,
    t_plain,
    wilson_cr2,
)

#: Lower is an error rate that was taken for a level; higher tells limits apart that no data can.
LEAST_LEVEL, MOST_LEVEL = 0.5, 0.9999
#: Of 32 cells they take 50 MB.
MOST_REPLICATES = 100_000


class Method(StrEnum):
    """How an interval is made of ratings."""

    WILSON_CR2 = "wilson-cr2"
    T = "t"
    CR2_T = "cr2-t"
    BOOTSTRAP = "bootstrap"


METHOD_LABELS = {
    Method.WILSON_CR2: "Wilson, clustered by worker",
    Method.CR2_T: "t, clustered by worker",
    Method.BOOTSTRAP: "bootstrap over workers",
    Method.T: "t, as if ratings were independent",
}


@dataclass(frozen=True, slots=True)
class IntervalOptions:
    """Which intervals. ``seed`` and ``replicates`` are the bootstrap's."""

    method: Method = Method.WILSON_CR2
    scale: Scale = PAPER_SCALE
    level: float = LEVEL
    seed: int = 0
    replicates: int = REPLICATES

    def __post_init__(self) -> None:
        check_limits(self.level, self.replicates, self.seed)


def check_limits(level: float, replicates: int, seed: int) -> None:
    """Raises ValueError for what no limits are made with."""
    if not LEAST_LEVEL <= level <= MOST_LEVEL:
        raise ValueError(
            f"level is {level}; a confidence level is from {LEAST_LEVEL} to {MOST_LEVEL}, such as 0.95"
        )
    if not 1 <= replicates <= MOST_REPLICATES:
        raise ValueError(
            f"replicates is {replicates}; a bootstrap draws at least 1 and at most {MOST_REPLICATES:,}"
        )
    if seed < 0:
        raise ValueError(f"seed is {seed}; a seed is a whole number from 0")


def intervals(
    table: WorkerTable, cells: Cells, options: IntervalOptions
) -> tuple[Intervals, NDArray[np.object_]]:
    """Limits (M, A), and why there are none (M, A): ``cells.gap``, or NO_SPREAD where all draws of a bootstrap agree.

    ``cells`` is the summary of ``table``.
    """
    made = _WAYS[options.method](table, cells, options)
    known = cells.gap == Gap.NONE
    low, high = (np.where(known, limit, np.nan) for limit in (made.low, made.high))
    gap = np.where(known & np.isnan(low), Gap.NO_SPREAD, cells.gap)
    return Intervals(low=low, high=high), gap


def _bootstrap(table: WorkerTable, cells: Cells, options: IntervalOptions) -> Intervals:
    return percentile(bootstrap_means(table, options.replicates, options.seed), options.level)


_WAYS: dict[Method, Callable[[WorkerTable, Cells, IntervalOptions], Intervals]] = {
    Method.WILSON_CR2: lambda table, cells, options: wilson_cr2(cells, options.scale, options.level),
    Method.T: lambda table, cells, options: t_plain(cells, options.level),
    Method.CR2_T: lambda table, cells, options: t_cr2(cells, options.level),
    Method.BOOTSTRAP: _bootstrap,
}
