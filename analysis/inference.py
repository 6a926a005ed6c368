"""Everything that is inferred from a set of ratings, as one value. No database, no clock, no chance but the seed's."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from analysis.errors import NotEstimable, UnknownAxis
from analysis.reading.ratings_frame import RatingsFrame
from analysis.statistics import best, contrasts, means, mixed, within
from analysis.statistics.agreement import WorkerShare, worker_share
from analysis.statistics.best import Best
from analysis.statistics.covariates import Covariates, Factor, Number, Regression
from analysis.statistics.differences import Differences
from analysis.statistics.distributions import Distribution, distribution
from analysis.statistics.interval_methods import IntervalOptions
from analysis.statistics.leniency import AdjustedMeans, Leniency, adjusted_means, leniency
from analysis.statistics.means import Cells, Floats, Integers, WorkerTable
from analysis.statistics.mixed import MixedModel
from analysis.statistics.outlook import Outlook, outlook
from analysis.statistics.overlap import Overlap, overlap
from analysis.tables.table7 import Table7, table7, table7_of
from ratings.axes import Axis

if TYPE_CHECKING:
    from analysis.planning.live import Planned

#: A difference worth finding, as a share of the scale's width: 0.3 of a scale from 1 to 5.
WORTH_FINDING = 0.075
Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Source:
    """Where the ratings are from: ``name`` of a study or a file, and what a reader must know of how they were read."""

    name: str
    collected_elsewhere: bool
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Left:
    """Table 7 without some workers: the rule's name, and how many workers and talks it leaves out."""

    rule: str
    workers: int
    talks: int
    table: Table7


@dataclass(frozen=True, slots=True)
class Analysis:
    """What is known; the parts of an axis stand in the order of ``table.axes``.

    ``main`` is the axis that the answer is about. ``of_pairs`` is the mixed model's, ``of_pairs_clustered`` by least
    squares, ``of_pairs_within`` within workers. ``covariates`` has a sentence instead where an axis' cannot be
    estimated, and is empty where nothing but ratings is known. ``planned`` is a study's plan with its looks; None for
    ratings that were collected elsewhere.
    """

    source: Source
    main: str
    options: IntervalOptions
    table: Table7
    cells: Cells
    fitted: tuple[MixedModel, ...]
    best: Best
    of_pairs: Differences
    of_pairs_clustered: Differences
    of_pairs_within: Differences
    shares: WorkerShare
    adjusted: AdjustedMeans
    leniency: Leniency
    distribution: Distribution
    covariates: tuple[Covariates | str, ...]
    outlooks: tuple[Outlook | None, ...]
    overlap: Overlap
    left_out: tuple[Left, ...] = field(default=())
    planned: Planned | None = None

    @property
    def models(self) -> tuple[str, ...]:
        return tuple(row.model for row in self.table.rows)

    @property
    def main_place(self) -> int:
        return [axis.value for axis in self.table.axes].index(self.main)

    @property
    def alpha(self) -> float:
        """The error rate that goes with the level of the intervals."""
        return round(1 - self.options.level, 12)


def analyse(
    frame: RatingsFrame,
    source: Source,
    options: IntervalOptions,
    *,
    main: str = "",
    covariates: Sequence[Factor | Number] = (),
    without: Mapping[str, RatingsFrame] | None = None,
    tell: Tell = lambda part: None,
) -> Analysis:
    """Infer everything from a frame.

    ``covariates`` have an entry for each of its ratings; ``without`` holds the ratings that are left under rules of
    exclusion, by their names; ``tell`` hears what is computed next. ``main`` is the overall axis, or else the first,
    unless another is named; raises UnknownAxis where there is none of that name.

    The regressions on covariates are a third of the work and need nothing of the rest: they run on a thread beside it.
    """
    with ThreadPoolExecutor(1, "covariates") as thread:
        regressions = thread.submit(_covariates, frame, covariates, options.level)
        found = _without_covariates(frame, source, options, _main(frame, main), without or {}, tell)
        tell("covariates")
        return replace(found, covariates=regressions.result())


def _without_covariates(
    frame: RatingsFrame,
    source: Source,
    options: IntervalOptions,
    main: str,
    without: Mapping[str, RatingsFrame],
    tell: Tell,
) -> Analysis:
    tell("means")
    sums = frame.table()
    cells = means.summarise(sums)
    table = table7_of(frame, sums, cells, options)
    tell("mixed models")
    fitted = mixed.fit(sums)
    tell("comparisons")
    compared = _Compared.of(sums, fitted, options.level)
    tell("workers")
    shares, adjusted = worker_share(sums, options.level), adjusted_means(sums, fitted, options.level)
    tell("planning and exclusions")
    return Analysis(
        source=source,
        main=main,
        options=options,
        table=table,
        cells=cells,
        fitted=fitted,
        best=compared.best,
        of_pairs=compared.mixed,
        of_pairs_clustered=compared.clustered,
        of_pairs_within=compared.within,
        shares=shares,
        adjusted=adjusted,
        leniency=leniency(sums, fitted),
        distribution=distribution(
            frame.score, frame.model, frame.axis, (len(frame.models), len(frame.axes)), options.scale
        ),
        covariates=(),
        outlooks=_outlooks(sums, fitted, options),
        overlap=overlap(
            frame.worker,
            frame.talk,
            frame.axis,
            frame.score,
            len(frame.axes),
            level=options.level,
            seed=options.seed,
        ),
        left_out=tuple(_left(frame, rest, rule, options) for rule, rest in without.items()),
    )


@dataclass(frozen=True, slots=True)
class _Compared:
    best: Best
    mixed: Differences
    clustered: Differences
    within: Differences

    @classmethod
    def of(cls, sums: WorkerTable, fitted: Sequence[MixedModel], level: float) -> _Compared:
        return cls(
            best=best.compare_with_best(fitted, level),
            mixed=mixed.differences(fitted),
            clustered=contrasts.cr2(sums),
            within=within.differences(sums),
        )


def _main(frame: RatingsFrame, wish: str) -> str:
    if wish and wish not in frame.axes:
        raise UnknownAxis(f"There is no axis {wish!r}; rated are {', '.join(frame.axes)}.")
    default = Axis.OVERALL.value if Axis.OVERALL.value in frame.axes else frame.axes[0]
    return wish or default


def _covariates(
    frame: RatingsFrame, covariates: Sequence[Factor | Number], level: float
) -> tuple[Covariates | str, ...]:
    """All covariates together, an axis at a time."""
    if not covariates:
        return ()
    axes = [_Rated.of(frame, covariates, axis) for axis in range(len(frame.axes))]
    fits: list[tuple[_Rated, Regression | str]] = []
    for axis in axes:
        if not any(axis.same(other) for other, _ in fits):
            fits.append((axis, axis.regression(len(frame.models))))
    return tuple(_of_axis(axis, next(fit for other, fit in fits if axis.same(other)), level) for axis in axes)


def _of_axis(axis: _Rated, fit: Regression | str, level: float) -> Covariates | str:
    return fit if isinstance(fit, str) else fit.effects(axis.score, level)


@dataclass(frozen=True, slots=True)
class _Rated:
    """The ratings of an axis, and what is known of each."""

    score: Floats
    worker: Integers
    model: Integers
    covariates: tuple[Factor | Number, ...]

    @classmethod
    def of(cls, frame: RatingsFrame, covariates: Sequence[Factor | Number], axis: int) -> _Rated:
        chosen = frame.axis == axis
        parts = tuple(
            replace(each, code=each.code[chosen])
            if isinstance(each, Factor)
            else replace(each, value=each.value[chosen])
            for each in covariates
        )
        return cls(frame.score[chosen], frame.worker[chosen], frame.model[chosen], parts)

    def same(self, other: _Rated) -> bool:
        """Whether only the scores differ, as where every talk was rated on both axes."""
        return all(
            np.array_equal(mine, theirs, equal_nan=True)
            for mine, theirs in zip(self._arrays(), other._arrays(), strict=True)
        )

    def _arrays(self) -> list[Floats | Integers]:
        values = [each.code if isinstance(each, Factor) else each.value for each in self.covariates]
        return [self.worker, self.model, *values]

    def regression(self, models: int) -> Regression | str:
        """A sentence where there can be none."""
        known = [each for each in self.covariates if each.known.any()]
        if not known:
            return "nothing but ratings is known"
        try:
            return Regression.of(self.model, self.worker, known, models)
        except NotEstimable as error:
            return str(error)


def _outlooks(
    sums: WorkerTable, fitted: Sequence[MixedModel], options: IntervalOptions
) -> tuple[Outlook | None, ...]:
    wanted = WORTH_FINDING * options.scale.width
    return tuple(
        outlook(sums, model, axis, wanted, _lead(model), alpha=round(1 - options.level, 12))
        for axis, model in enumerate(fitted)
    )


def _lead(fitted: MixedModel) -> float | None:
    """By how much the highest mean is above the second; None where there are not two."""
    ranked = np.sort(fitted.means[fitted.compared])
    return float(ranked[-1] - ranked[-2]) if len(ranked) > 1 else None


def _left(frame: RatingsFrame, rest: RatingsFrame, rule: str, options: IntervalOptions) -> Left:
    return Left(
        rule=rule,
        workers=frame.workers - rest.workers,
        talks=frame.talks - rest.talks,
        table=table7(rest, options),
    )
