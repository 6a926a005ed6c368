"""Table 7, which models can be the best, and how often each rating was given."""

from __future__ import annotations

import math

from analysis.inference import Analysis
from analysis.statistics.interval_methods import Method
from analysis.tables.table7 import BOLD_SENTENCE, Cell, RatedAxis
from analysis.writeup.document import Bars, Forest, Grid, Interval, Section, Shown, Table
from analysis.writeup.wording import NOTHING, count, counted, known, level_text, percent, span

MEAN_COLUMNS = (
    "axis model n workers mean sd cr2_error cr2_df low high bold possible_best paper_mean note".split()
)
NO_VARIANCE = {
    Method.WILSON_CR2: "all workers agree: the number of workers stands for the effective number of ratings",
    Method.CR2_T: "all workers agree: there is no variance between them",
    Method.T: "all ratings are the same: there is no variance",
}


def means_section(analysis: Analysis) -> Section:
    """Means and intervals by the chosen method, with the paper's rule for bold."""
    table = analysis.table
    return Section(
        name="means",
        title="Table 7: mean ratings",
        words=(f"On a scale of {table.scale_text}. {table.method_sentence}", BOLD_SENTENCE),
        missing=_gaps(analysis),
        grids=(_grid(analysis),) if table.rows else (),
        figures=tuple(_forests(analysis)),
        tables=(_table(analysis),),
    )


def _gaps(analysis: Analysis) -> tuple[str, ...]:
    """Cells that are not what they seem, and why."""
    found = [
        f"{row.model}, {axis.label}: {note}."
        for m, row in enumerate(analysis.table.rows)
        for a, axis in enumerate(analysis.table.axes)
        if (note := _note(analysis, m, a))
    ]
    return tuple(found) if analysis.table.talks else ("There are no ratings.",)


def _note(analysis: Analysis, m: int, a: int) -> str:
    cell, method = analysis.table.rows[m].cells[a], analysis.options.method
    spread = analysis.cells.sd if method is Method.T else analysis.cells.error
    return cell.why or ("" if spread[m, a] else NO_VARIANCE.get(method, ""))


def _grid(analysis: Analysis) -> Grid:
    table = analysis.table
    brackets = ", the paper's mean in square brackets" if table.compared else ""
    return Grid(
        title=f"{table.title}: mean and {level_text(analysis.options.level)} interval{brackets}",
        head=("Model", "Talks", *(axis.label for axis in table.axes)),
        rows=tuple(
            (Shown(row.model), Shown(count(row.talks)), *(_shown(cell) for cell in row.cells))
            for row in table.rows
        ),
    )


def _shown(cell: Cell) -> Shown:
    paper = f"[{cell.paper:.1f}]" if cell.paper is not None else ""
    aside = " ".join(filter(None, [cell.interval_text or f"({cell.why})", paper]))
    return Shown(cell.mean_text, cell.bold, aside)


def _forests(analysis: Analysis) -> list[Forest]:
    """One an axis on which there is something to compare, all on the same part of the scale."""
    table = analysis.table
    drawn = [(axis, _intervals(analysis, axis)) for axis in table.axes]
    ends = [end for _, lines in drawn for each in lines for end in (each.low, each.high, each.reference)]
    inside = [end for end in ends if end is not None]
    step = analysis.options.scale.width / 8  # half a point of the paper's scale
    low = math.floor(min(inside, default=0) / step) * step
    high = math.ceil(max(inside, default=1) / step) * step
    return [
        Forest(axis.label, low, high if high > low else low + step, lines)
        for axis, lines in drawn
        if len(lines) > 1
    ]


def _intervals(analysis: Analysis, axis: RatedAxis) -> tuple[Interval, ...]:
    return tuple(
        Interval(model, cell.mean, cell.low, cell.high, cell.bold, cell.paper, _raters(cell))
        for model, cell in analysis.table.column(axis.value)
        if cell.mean is not None and cell.low is not None and cell.high is not None
    )


def _raters(cell: Cell) -> str:
    return f"{counted(cell.n, 'rating')} by {counted(cell.workers, 'worker')}"


def _table(analysis: Analysis) -> Table:
    cells = analysis.cells
    rows = []
    for m, row in enumerate(analysis.table.rows):
        for a, cell in enumerate(row.cells):
            spread = (known(values[m, a]) for values in (cells.sd, cells.error, cells.df))
            possible = bool(analysis.best.possible[m, a])
            figures = (cell.n, cell.workers, cell.mean, *spread, cell.low, cell.high, cell.bold, possible)
            rows.append((cell.axis, row.model, *figures, cell.paper, _note(analysis, m, a)))
    return Table("means", tuple(MEAN_COLUMNS), tuple(rows))


# --- The best -----------------------------------------------------------------------------------------------


def best_section(analysis: Analysis) -> Section:
    """Hsu's comparisons with the best."""
    table, best = analysis.table, analysis.best
    level = level_text(analysis.options.level)
    fields = [
        (axis.value, model, known(best.low[m, a]), known(best.high[m, a]), bool(best.possible[m, a]))
        for a, axis in enumerate(table.axes)
        for m, model in enumerate(analysis.models)
    ]
    rows = tuple(
        (
            Shown(model),
            *(
                Shown(_limits(best.low[m, a], best.high[m, a]), bool(best.possible[m, a]))
                for a in range(len(table.axes))
            ),
        )
        for m, model in enumerate(analysis.models)
    )
    compared = bool((best.high == best.high).any())
    return Section(
        name="best",
        title="Which models can be the best",
        words=(
            f"Mean minus the best other model's, in points of the scale, with {level} limits that hold for all "
            "models together (Hsu's multiple comparisons with the best, on the mixed model). A model can be the best "
            "where its upper limit is above zero; these stand out. The paper's rule for bold promises nothing of the "
            "kind: it drops a true best model the more often, the more models there are.",
        ),
        missing=() if compared else ("No two models can be compared.",),
        grids=(Grid("Mean minus the best other mean", _by_axis(analysis), rows),) if compared else (),
        tables=(Table("best", ("axis", "model", "low", "high", "possible_best"), tuple(fields)),),
    )


def _limits(low: float, high: float) -> str:
    """A limit just above zero is not shown as zero."""
    return span(low, high, 4 if 0 < high < 0.005 else 2) or NOTHING


def _by_axis(analysis: Analysis) -> tuple[str, ...]:
    return ("Model", *(axis.label for axis in analysis.table.axes))


# --- Distributions ------------------------------------------------------------------------------------------


def distributions_section(analysis: Analysis) -> Section:
    """How often each model got each rating on each axis."""
    labels, counts = analysis.distribution.labels, analysis.distribution.count
    shares = analysis.distribution.share()
    rows = tuple(
        (axis.value, model, label, int(counts[m, a, v]), known(shares[m, a, v]))
        for a, axis in enumerate(analysis.table.axes)
        for m, model in enumerate(analysis.models)
        for v, label in enumerate(labels)
    )
    rated = [a for a in range(len(analysis.table.axes)) if counts[:, a].any()]
    return Section(
        name="distributions",
        title="How often each rating was given",
        words=(
            "Of each model's ratings on an axis, from the lowest on the left to the highest on the right.",
        ),
        missing=() if rated else ("There are no ratings.",),
        grids=tuple(_shares(analysis, a) for a in rated),
        figures=tuple(_bars(analysis, a) for a in rated),
        tables=(Table("distributions", ("axis", "model", "rating", "n", "share"), rows),),
    )


def _shares(analysis: Analysis, a: int) -> Grid:
    shares, counts = analysis.distribution.share(), analysis.distribution.count
    rows = tuple(
        (
            Shown(model),
            Shown(count(int(counts[m, a].sum()))),
            *(Shown(percent(known(share), 0)) for share in shares[m, a]),
        )
        for m, model in enumerate(analysis.models)
    )
    head = ("Model", "Ratings", *analysis.distribution.labels)
    return Grid(analysis.table.axes[a].label, head, rows, detail=True)


def _bars(analysis: Analysis, a: int) -> Bars:
    shares = analysis.distribution.share()
    bars = tuple(
        (model, tuple(float(share) for share in shares[m, a]))
        for m, model in enumerate(analysis.models)
        if shares[m, a, 0] == shares[m, a, 0]
    )
    return Bars(analysis.table.axes[a].label, analysis.distribution.labels, bars)
