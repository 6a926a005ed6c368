"""How much workers differ, and what they move."""

from __future__ import annotations

from collections.abc import Iterator

from analysis.inference import Analysis, Left
from analysis.statistics.covariates import CovariateEffect, Covariates
from analysis.statistics.covariates import Left as LeftOut
from analysis.statistics.differences import Untested
from analysis.tables.table7 import Cell
from analysis.writeup.document import Grid, Section, Shown, Table, Value
from analysis.writeup.overlap import overlap_grids, overlap_table, overlap_words
from analysis.writeup.wording import (
    UNTESTED_WORDS,
    count,
    figure,
    known,
    level_text,
    listed,
    p_value,
    percent,
    signed,
    span,
)
from analysis.writeup.worker_effects import worker_effects

SHRUNKEN = (
    "How many workers are how lenient: what each gave above the models' means, drawn towards zero the more, the fewer "
    "talks they rated (best linear unbiased prediction)."
)


def workers_section(analysis: Analysis) -> Section:
    """The share of variance between workers, and means as an average worker would give them."""
    level = level_text(analysis.options.level)
    shares = tuple(_share(analysis, a) for a in range(len(analysis.table.axes)))
    histograms, counts, effects = worker_effects(analysis)
    return Section(
        name="workers",
        title="How workers differ",
        words=(
            "The share of the variance of ratings that is between workers (the intraclass correlation), with profile "
            f"likelihood {level} limits.",
            overlap_words(analysis),
            "Means as an average worker would give them: Table 7's less the leniency of those who happened to rate. "
            "Leniency corrects figures here; it leaves nobody out.",
            *((SHRUNKEN,) if histograms else ()),
        ),
        missing=tuple(
            f"{axis.label}: the share of variance between workers is not known: {row[-1]}."
            for axis, row in zip(analysis.table.axes, shares, strict=True)
            if row[-1]
        ),
        grids=(*_worker_grids(analysis), *overlap_grids(analysis), *counts),
        figures=histograms,
        tables=(
            Table("worker_shares", ("axis", "icc", "low", "high", "note"), shares),
            overlap_table(analysis),
            Table(
                "adjusted_means",
                ("axis", "model", "mean", "adjusted", "shift", "low", "high"),
                _adjusted(analysis),
            ),
            effects,
        ),
    )


def _share(analysis: Analysis, a: int) -> tuple[Value, ...]:
    shares = analysis.shares
    why = Untested(shares.untested[a])
    note = "no worker rated twice" if why is Untested.TOO_FEW_RATINGS else UNTESTED_WORDS[why]
    values = (known(each[a]) for each in (shares.icc, shares.low, shares.high))
    return (analysis.table.axes[a].value, *values, note)


def _adjusted(analysis: Analysis) -> tuple[tuple[Value, ...], ...]:
    found = analysis.adjusted
    figures = (found.raw, found.adjusted, found.shift, found.interval.low, found.interval.high)
    return tuple(
        (axis.value, model, *(known(each[m, a]) for each in figures))
        for a, axis in enumerate(analysis.table.axes)
        for m, model in enumerate(analysis.models)
    )


def _worker_grids(analysis: Analysis) -> Iterator[Grid]:
    shares, found, axes = analysis.shares, analysis.adjusted, analysis.table.axes
    if (shares.icc == shares.icc).any():
        limits = [
            Shown(percent(shares.icc[a]), aside=f"{percent(shares.low[a])} to {percent(shares.high[a])}")
            if shares.icc[a] == shares.icc[a]
            else Shown(percent(None))
            for a in range(len(axes))
        ]
        head = ("", *(axis.label for axis in axes))
        yield Grid("Variance between workers", head, ((Shown("Share of the variance"), *limits),))
    if (found.adjusted == found.adjusted).any():
        rows = tuple(
            (
                Shown(model),
                *(
                    Shown(figure(found.adjusted[m, a]), aside=f"({signed(found.shift[m, a])})")
                    for a in range(len(axes))
                ),
            )
            for m, model in enumerate(analysis.models)
        )
        yield Grid(
            "Means for an average worker, and how far they are from Table 7's",
            ("Model", *(axis.label for axis in axes)),
            rows,
        )


# --- Covariates ---------------------------------------------------------------------------------------------

COVARIATE_COLUMNS = "axis covariate level against estimate error df low high p ratings unknown note".split()


def covariates_section(analysis: Analysis) -> Section:
    """What else moves ratings, where anything else is known."""
    fitted = [
        (axis.label, axis.value, each)
        for axis, each in zip(analysis.table.axes, analysis.covariates, strict=False)
    ]
    refused = tuple(f"{label}: {each}." for label, _, each in fitted if isinstance(each, str))
    nothing = ("Nothing but ratings is known: neither contexts, nor turns, nor times.",)
    lines = [
        (label, value, each, effect)
        for label, value, each in fitted
        if isinstance(each, Covariates)
        for effect in each.effects
    ]
    return Section(
        name="covariates",
        title="What else moves ratings",
        words=(
            "Points of the scale, from one regression an axis on the models and all that is known of the talks, with "
            "errors clustered by worker (CR2). Nobody dealt these: an effect is an association.",
        ),
        missing=refused if fitted else nothing,
        grids=(_covariate_grid(lines, analysis.options.level),) if lines else (),
        tables=(
            Table(
                "covariates",
                tuple(COVARIATE_COLUMNS),
                tuple(_covariate_row(value, each, effect) for _, value, each, effect in lines),
            ),
        ),
    )


def _covariate_row(axis: str, fitted: Covariates, effect: CovariateEffect) -> tuple[Value, ...]:
    values = (effect.estimate, effect.error, effect.df, effect.low, effect.high, effect.p)
    note = "the same throughout" if effect.left is LeftOut.NO_VARIATION else ""
    counts = (fitted.ratings, fitted.unknown)
    return (
        axis,
        effect.name,
        effect.level,
        effect.against,
        *(known(value) for value in values),
        *counts,
        note,
    )


def _covariate_grid(lines: list[tuple[str, str, Covariates, CovariateEffect]], level: float) -> Grid:
    rows = tuple(
        (
            Shown(label),
            Shown(
                f"{effect.name}: {effect.level}" + (f" against {effect.against}" if effect.against else "")
            ),
            Shown(signed(effect.estimate), aside=span(effect.low, effect.high) or "(the same throughout)"),
            Shown(p_value(effect.p)),
            Shown(count(fitted.ratings)),
            Shown(count(fitted.unknown)),
        )
        for label, _, fitted, effect in lines
    )
    head = ("Axis", "Of what", f"Effect, {level_text(level)} interval", "p", "Ratings", "Left out, not known")
    return Grid("Effects beside the models'", head, rows)


# --- Exclusions ---------------------------------------------------------------------------------------------

LEFT_COLUMNS = (
    "rule workers_left_out talks_left_out axis model n workers mean low high bold shift bold_changed".split()
)
ALL_KEPT = "nobody left out"


def exclusions_section(analysis: Analysis) -> Section:
    """Table 7 as it is, and without those whom each rule leaves out."""
    variants = (Left(ALL_KEPT, 0, 0, analysis.table), *analysis.left_out)
    rows = tuple(row for left in variants for row in _left_rows(analysis, left))
    return Section(
        name="exclusions",
        title="What exclusions do",
        words=(
            "All other parts of this report are about all ratings that it was given. Here is Table 7 without the "
            "workers of each rule of exclusion: the mean that moves most, and models that become bold or cease to be.",
        ),
        missing=() if analysis.left_out else ("No rules of exclusion were given.",),
        grids=(_left_grid(analysis),) if analysis.left_out else (),
        tables=(Table("exclusions", tuple(LEFT_COLUMNS), rows),),
    )


def _cells(analysis: Analysis, left: Left) -> Iterator[tuple[str, str, Cell, Cell, float | None]]:
    """Model, the axis' words, the cell before and after, and how far the mean moved."""
    for before, after in zip(analysis.table.rows, left.table.rows, strict=True):
        for axis, old, new in zip(analysis.table.axes, before.cells, after.cells, strict=True):
            moved = new.mean - old.mean if old.mean is not None and new.mean is not None else None
            yield before.model, axis.label, old, new, moved


def _left_rows(analysis: Analysis, left: Left) -> Iterator[tuple[Value, ...]]:
    for model, _, old, new, moved in _cells(analysis, left):
        yield (
            *(left.rule, left.workers, left.talks, new.axis, model, new.n, new.workers),
            *(new.mean, new.low, new.high, new.bold, moved, old.bold != new.bold),
        )


def _left_grid(analysis: Analysis) -> Grid:
    head = ("Left out by", "Workers", "Talks", "Mean that moves most", "Bold changes")
    return Grid(
        "Table 7 under exclusions", head, tuple(_left_line(analysis, left) for left in analysis.left_out)
    )


def _left_line(analysis: Analysis, left: Left) -> tuple[Shown, ...]:
    cells = list(_cells(analysis, left))
    moved = [
        (abs(shift), shift, f"{model}, {axis}") for model, axis, _, _, shift in cells if shift is not None
    ]
    most = max(moved, key=lambda each: each[0], default=None)
    changed = [
        f"{model}, {axis}: {'now bold' if new.bold else 'no longer bold'}"
        for model, axis, old, new, _ in cells
        if old.bold != new.bold
    ]
    return (
        Shown(left.rule),
        Shown(count(left.workers)),
        Shown(count(left.talks)),
        Shown(signed(most[1]), aside=most[2]) if most else Shown("–"),
        Shown(listed(changed, most=len(changed)) if changed else "none"),
    )
