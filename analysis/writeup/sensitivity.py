"""Whether the answer would be another, had it been computed in another way or without some workers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from analysis.inference import Analysis
from analysis.statistics.interval_methods import METHOD_LABELS, Method
from analysis.statistics.means import Gap, Intervals, bold, t_cr2, t_plain, wilson_cr2
from analysis.tables.table7 import Table7
from analysis.writeup.answer import on
from analysis.writeup.document import Grid, Section, Shown, Table
from analysis.writeup.wording import figure, known, listed

COLUMNS = ("axis", "way", "highest", "mean", "near_best", "as_reported")
#: Ways that need nothing but the cells' sums; the bootstrap is asked for by itself.
CLOSED: dict[Method, Callable[[Analysis], Intervals]] = {
    Method.WILSON_CR2: lambda found: wilson_cr2(found.cells, found.options.scale, found.options.level),
    Method.CR2_T: lambda found: t_cr2(found.cells, found.options.level),
    Method.T: lambda found: t_plain(found.cells, found.options.level),
}


@dataclass(frozen=True, slots=True)
class Way:
    """The highest mean on the main axis, and the models that this way leaves near it; none where it tells nothing."""

    name: str
    highest: str
    mean: float
    near: tuple[str, ...]


def sensitivity_section(analysis: Analysis) -> Section:
    """The main axis alone: each way of intervals, the mixed model, and each rule of exclusion."""
    ways = list(_ways(analysis)) if analysis.best.possible[:, analysis.main_place].any() else []
    first = ways[0] if ways else None
    axis = analysis.table.axes[analysis.main_place]
    return Section(
        name="sensitivity",
        title="Would it come out otherwise?",
        words=(
            f"The same question, which model is the best {on(analysis)}, asked in other ways: with other intervals and "
            "the paper's rule for bold, with every worker's leniency allowed for, and without the workers whom a rule "
            "of exclusion names. What only one way says is no finding.",
            *((_agreement(ways),) if ways else ()),
        ),
        missing=() if ways else ("No two models can be compared.",),
        grids=(_grid(ways),) if ways else (),
        tables=(
            Table(
                "sensitivity",
                COLUMNS,
                tuple(
                    (
                        axis.value,
                        way.name,
                        way.highest,
                        known(way.mean),
                        "; ".join(way.near),
                        _same(way, first),
                    )
                    for way in ways
                ),
            ),
        ),
    )


def _ways(analysis: Analysis) -> Iterator[Way]:
    """As reported first."""
    chosen, place = analysis.options.method, analysis.main_place
    yield _of_table(METHOD_LABELS[chosen], analysis.table, place)
    means = np.where(analysis.cells.gap[:, place] == Gap.NONE, analysis.cells.mean[:, place], np.nan)
    for method, made in CLOSED.items():
        if method is not chosen:
            near = bold(analysis.cells, made(analysis))[:, place]
            yield _of_arrays(analysis, METHOD_LABELS[method], means, near)
    fitted = analysis.fitted[place]
    mixed = np.where(fitted.raters > 1, fitted.means, np.nan)
    yield _of_arrays(analysis, "mixed model and Hsu's comparisons", mixed, analysis.best.possible[:, place])
    for left in analysis.left_out:
        yield _of_table(f"without: {left.rule}", left.table, place)


def _of_table(name: str, table: Table7, place: int) -> Way:
    cells = [(row.model, row.cells[place]) for row in table.rows if row.cells[place].low is not None]
    model, top = max(cells, key=lambda each: each[1].mean or 0, default=("", None))
    mean = top.mean if top is not None and top.mean is not None else float("nan")
    return Way(name, model, mean, tuple(model for model, cell in cells if cell.bold))


def _of_arrays(analysis: Analysis, name: str, means: np.ndarray, near: np.ndarray) -> Way:
    top = int(np.nanargmax(means))
    return Way(
        name,
        analysis.models[top],
        float(means[top]),
        tuple(analysis.models[m] for m in np.flatnonzero(near)),
    )


def _same(way: Way, first: Way | None) -> bool:
    return first is not None and (way.highest, way.near) == (first.highest, first.near)


def _agreement(ways: list[Way]) -> str:
    telling = [way for way in ways if way.highest]
    highest = list(dict.fromkeys(way.highest for way in telling))
    silent = (
        "" if len(telling) == len(ways) else f" Too few ratings are left in {len(ways) - len(telling)} more."
    )
    if len(highest) == 1:
        same = ", and all leave the same models near it" if len({way.near for way in telling}) == 1 else ""
        return f"All {len(telling)} ways have the highest mean at {highest[0]}{same}.{silent}"
    return f"The ways differ in which model has the highest mean: {listed(highest, last='or')}.{silent}"


def _grid(ways: list[Way]) -> Grid:
    rows = tuple(
        (
            Shown(way.name),
            Shown(way.highest or "–", aside=figure(way.mean)),
            Shown(listed(way.near, most=len(way.near)) if way.near else "–"),
            Shown("as reported" if _same(way, ways[0]) else "otherwise", not _same(way, ways[0])),
        )
        for way in ways
    )
    return Grid("The answer in other ways", ("Way", "Highest mean", "Near it", ""), rows)
