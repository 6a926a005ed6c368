"""Differences between all pairs of models, in three ways that should agree."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from analysis.inference import Analysis
from analysis.statistics.differences import Differences, Untested, holm
from analysis.statistics.means import Floats, Intervals
from analysis.writeup.document import Grid, Matrix, Section, Shown, Table, Value
from analysis.writeup.wording import UNTESTED_WORDS, known, level_text, p_value, signed, span_apart

COLUMNS = (
    "axis first second estimate error df low high low_tukey high_tukey p p_tukey p_holm note "
    "clustered_estimate clustered_error clustered_df clustered_p clustered_p_holm clustered_note "
    "within_estimate within_error within_df within_low within_high within_p within_note"
).split()
HEAD = (
    "Pair",
    "Mixed model",
    "p (Tukey)",
    "p (Holm)",
    "Least squares",
    "p (Holm)",
    "Within workers",
)


@dataclass(frozen=True, slots=True)
class Tested:
    """One way with its p-values and limits, each (P, A)."""

    found: Differences
    p: Floats
    p_holm: Floats
    limits: Intervals

    @classmethod
    def of(cls, found: Differences, level: float) -> Tested:
        p = found.p
        return cls(found, p, holm(p), found.interval(level))

    def note(self, pair: int, axis: int) -> str:
        return UNTESTED_WORDS[Untested(self.found.untested[pair, axis])]


@dataclass(frozen=True, slots=True)
class Pairs:
    """All that is known of all pairs."""

    mixed: Tested
    clustered: Tested
    within: Tested
    p_tukey: Floats
    tukey: Intervals

    @classmethod
    def of(cls, analysis: Analysis) -> Pairs:
        level, found = analysis.options.level, analysis.of_pairs
        return cls(
            mixed=Tested.of(found, level),
            clustered=Tested.of(analysis.of_pairs_clustered, level),
            within=Tested.of(analysis.of_pairs_within, level),
            p_tukey=found.tukey_p(),
            tukey=found.tukey_interval(level),
        )


def differences_section(analysis: Analysis, pairs: Pairs) -> Section:
    """The mixed model's differences with Tukey's and Holm's corrections, and the two that it is checked by."""
    axes, many = range(len(analysis.table.axes)), len(pairs.p_tukey)
    tested = [axis for axis in axes if (pairs.mixed.found.untested[:, axis] == Untested.NONE).any()]
    return Section(
        name="differences",
        title="Differences between models",
        words=_words(analysis, pairs, many) if many else (),
        missing=_missing(analysis, pairs),
        grids=tuple(_grid(analysis, pairs, axis) for axis in tested),
        figures=tuple(_matrix(analysis, pairs, axis) for axis in tested),
        tables=(
            Table(
                "differences",
                tuple(COLUMNS),
                tuple(_row(analysis, pairs, axis, pair) for axis in axes for pair in range(many)),
            ),
        ),
    )


def _words(analysis: Analysis, pairs: Pairs, many: int) -> tuple[str, ...]:
    level = level_text(analysis.options.level)
    return (
        "First model minus second, in points of the scale. The mixed model has a random effect of each worker (REML, "
        f"Satterthwaite's degrees of freedom); its {level} limits hold for all pairs of an axis together (Tukey), "
        f"and p-values are corrected over all {many} pairs of it, by Tukey and by Holm. Least squares with errors "
        "clustered by worker (CR2) stands beside it. Pairs with Tukey's p below "
        f"{analysis.alpha:g} stand out.",
        _confounding(analysis, pairs),
    )


def _confounding(analysis: Analysis, pairs: Pairs) -> str:
    """Where the comparison within workers contradicts the mixed model."""
    known_within = ~np.isnan(pairs.within.limits.low) & ~np.isnan(pairs.mixed.found.estimate)
    estimate, limits = pairs.mixed.found.estimate, pairs.within.limits
    outside = known_within & ((estimate < limits.low) | (estimate > limits.high))
    compared = int(known_within.sum())
    if not compared:
        return "Whether lenient workers met some models more often cannot be checked: too few workers rated two models."
    most = math.ceil((1 - analysis.options.level) * compared - 1e-9)
    return (
        "Within workers every worker's leniency is taken out whole. Where lenient workers met some models more often "
        f"than others the two differ: the mixed model's difference is outside the {level_text(analysis.options.level)} "
        f"interval within workers in {int(outside.sum())} of {compared} comparisons; where models were dealt at "
        f"random {most} or fewer are to be expected."
    )


def _missing(analysis: Analysis, pairs: Pairs) -> tuple[str, ...]:
    """Why pairs have no test, each reason once an axis."""
    if not len(pairs.p_tukey):
        return ("A difference takes two models.",)
    found = []
    for a, axis in enumerate(analysis.table.axes):
        reasons = pairs.mixed.found.untested[:, a]
        for why in dict.fromkeys(reasons[reasons != Untested.NONE]):
            lacking = int((reasons == why).sum())
            found.append(
                f"{axis.label}: {lacking} of {len(reasons)} pairs are not tested: {UNTESTED_WORDS[why]}."
            )
    return tuple(found)


def _row(analysis: Analysis, pairs: Pairs, a: int, pair: int) -> tuple[Value, ...]:
    mixed, clustered, within = pairs.mixed, pairs.clustered, pairs.within

    def of(*values: Floats) -> tuple[float | None, ...]:
        return tuple(known(each[pair, a]) for each in values)

    def start(tested: Tested) -> tuple[float | None, ...]:
        return of(tested.found.estimate, tested.found.error, tested.found.df)

    return (
        analysis.table.axes[a].value,
        *(analysis.models[places[pair]] for places in (mixed.found.first, mixed.found.second)),
        *start(mixed),
        *of(mixed.limits.low, mixed.limits.high, pairs.tukey.low, pairs.tukey.high),
        *of(mixed.p, pairs.p_tukey, mixed.p_holm),
        mixed.note(pair, a),
        *start(clustered),
        *of(clustered.p, clustered.p_holm),
        clustered.note(pair, a),
        *start(within),
        *of(within.limits.low, within.limits.high, within.p),
        within.note(pair, a),
    )


def _grid(analysis: Analysis, pairs: Pairs, a: int) -> Grid:
    mixed, clustered, within = pairs.mixed, pairs.clustered, pairs.within

    def row(pair: int) -> tuple[Shown, ...]:
        first, second = (analysis.models[places[pair]] for places in (mixed.found.first, mixed.found.second))
        sure = bool(pairs.p_tukey[pair, a] < analysis.alpha)
        return (
            Shown(f"{first} − {second}"),
            _shown(mixed, pairs.tukey, pair, a, sure),
            Shown(p_value(pairs.p_tukey[pair, a])),
            Shown(p_value(mixed.p_holm[pair, a])),
            Shown(signed(clustered.found.estimate[pair, a])),
            Shown(p_value(clustered.p_holm[pair, a])),
            _shown(within, within.limits, pair, a, False),
        )

    rows = tuple(row(pair) for pair in range(len(pairs.p_tukey)))
    return Grid(analysis.table.axes[a].label, HEAD, rows, detail=True)


def _shown(tested: Tested, limits: Intervals, pair: int, a: int, sure: bool) -> Shown:
    between = span_apart(limits.low[pair, a], limits.high[pair, a])
    return Shown(signed(tested.found.estimate[pair, a]), sure, between or f"({tested.note(pair, a)})")


def _matrix(analysis: Analysis, pairs: Pairs, a: int) -> Matrix:
    models, found = len(analysis.models), pairs.mixed.found
    values: list[list[float | None]] = [[None] * models for _ in range(models)]
    sure = [[False] * models for _ in range(models)]
    for pair, (first, second) in enumerate(zip(found.first, found.second, strict=True)):
        estimate = known(found.estimate[pair, a])
        if estimate is not None:
            values[first][second], values[second][first] = estimate, -estimate
        sure[first][second] = sure[second][first] = bool(pairs.p_tukey[pair, a] < analysis.alpha)
    return Matrix(
        title=analysis.table.axes[a].label,
        full=analysis.options.scale.width / 4,  # a point of the paper's scale
        labels=analysis.models,
        values=tuple(map(tuple, values)),
        sure=tuple(map(tuple, sure)),
    )
