"""Where things stand in pictures: the interval inside a table's cell, and plotly's figures.

Figures name colours by role (``meta.role``); the page's script fills in the theme's colours.
"""

from __future__ import annotations

import math
import textwrap
from collections.abc import Callable
from dataclasses import dataclass

from analysis.tables.table7 import Cell, Table7
from ratings.models import HIGHEST, LOWEST

#: The drawing inside a cell, in its own units.
MARK_WIDTH = 120
LABEL_CHARACTERS = 18
#: The paper's sign stands this share of a row below ours, so that neither hides the other.
PAPER_BELOW = 0.3
ROW_HEIGHT_PX, FRAME_HEIGHT_PX = 34, 46
Trace = dict[str, object]


@dataclass(frozen=True, slots=True)
class Span:
    """The part of the scale that pictures show, so that all cells share it."""

    low: float
    high: float

    def x(self, value: float) -> float:
        """Where a value stands, in units of the cell's drawing."""
        return round((value - self.low) / (self.high - self.low) * MARK_WIDTH, 1)


@dataclass(frozen=True, slots=True)
class Mark:
    """The drawing inside a cell: a line from ``low`` to ``high`` and a point at ``mean``."""

    low: float
    high: float
    mean: float


def span(table: Table7) -> Span:
    """From the lowest to the highest limit or paper's mean, rounded outwards to half points."""
    values = [
        value for row in table.rows for cell in row.cells for value in (cell.low, cell.high, cell.paper)
    ]
    known = [value for value in values if value is not None]
    low, high = math.floor(min(known, default=LOWEST) * 2) / 2, math.ceil(max(known, default=HIGHEST) * 2) / 2
    return Span(low, high) if high > low else Span(LOWEST, HIGHEST)


def mark(cell: Cell, span: Span) -> Mark | None:
    """None where the cell has no interval."""
    if cell.mean is None or cell.low is None or cell.high is None:
        return None
    return Mark(low=span.x(cell.low), high=span.x(cell.high), mean=span.x(cell.mean))


def forest(table: Table7, axis: str, span: Span) -> dict[str, object]:
    """A plotly figure of one axis: a model a line, in the table's order, the paper's means as a third trace."""
    column = table.column(axis)
    traces = [
        _intervals(column, "Within the best model's interval", "accent", "circle", lambda cell: cell.bold),
        _intervals(column, "Other models", "ink-2", "circle-open", lambda cell: not cell.bold),
        _paper(column),
    ]
    return {"data": [trace for trace in traces if trace["x"]], "layout": _layout(column, span)}


def _intervals(
    column: list[tuple[str, Cell]], name: str, role: str, symbol: str, belongs: Callable[[Cell], bool]
) -> Trace:
    points = [
        (place, model, cell, cell.mean, cell.low, cell.high)
        for place, (model, cell) in enumerate(column)
        if cell.mean is not None and cell.low is not None and cell.high is not None and belongs(cell)
    ]
    return {
        "type": "scatter",
        "mode": "markers",
        "name": name,
        "meta": {"role": role},
        "x": [mean for _, _, _, mean, _, _ in points],
        "y": [place for place, *_ in points],
        "error_x": {
            "type": "data",
            "symmetric": False,
            "array": [high - mean for _, _, _, mean, _, high in points],
            "arrayminus": [mean - low for _, _, _, mean, low, _ in points],
            "thickness": 3,
            "width": 0,
        },
        "marker": {"size": 11, "symbol": symbol, "line": {"width": 2}},
        "customdata": [_hover(model, cell) for _, model, cell, *_ in points],
        "hovertemplate": "%{customdata}<extra></extra>",
    }


def _paper(column: list[tuple[str, Cell]]) -> Trace:
    points = [
        (place, model, cell.paper) for place, (model, cell) in enumerate(column) if cell.paper is not None
    ]
    return {
        "type": "scatter",
        "mode": "markers",
        "name": "The paper's mean",
        "meta": {"role": "paper"},
        "x": [mean for _, _, mean in points],
        "y": [place + PAPER_BELOW for place, _, _ in points],
        "marker": {"size": 9, "symbol": "diamond-open", "line": {"width": 1.5}},
        "customdata": [f"{plain(model)}<br>the paper: {mean:.1f}" for _, model, mean in points],
        "hovertemplate": "%{customdata}<extra></extra>",
    }


def _layout(column: list[tuple[str, Cell]], span: Span) -> dict[str, object]:
    labels = ["<br>".join(map(plain, _wrapped(model))) for model, _ in column]
    margin = 0.06 * (span.high - span.low)
    return {
        "height": FRAME_HEIGHT_PX + ROW_HEIGHT_PX * len(column),
        "margin": {"l": 8, "r": 8, "t": 8, "b": 30},
        "showlegend": False,
        "dragmode": False,
        "hovermode": "closest",
        "xaxis": {
            "range": [span.low - margin, span.high + margin],
            "dtick": 0.5,
            "tickformat": ".1f",
            "zeroline": False,
        },
        "yaxis": {
            "range": [len(column) - 0.5, -0.5],
            "tickvals": list(range(len(column))),
            "ticktext": labels,
            "automargin": True,
            "fixedrange": True,
            "showgrid": False,
            "zeroline": False,
        },
    }


def plain(text: str) -> str:
    """Text for plotly, which takes some tags and entities in labels for markup.

    Of its tags only ``<br>`` is ours to use: the others become style attributes, which the content policy forbids.
    """
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _hover(model: str, cell: Cell) -> str:
    numbers = f"{cell.mean_text} ({cell.interval_text})"
    paper = "" if cell.paper is None else f"<br>the paper: {cell.paper:.1f}"
    return f"{plain(model)}<br>{numbers}<br>{cell.n} ratings by {cell.workers} workers{paper}"


def _wrapped(model: str) -> list[str]:
    """Two lines at most; a longer name ends in an ellipsis and stands whole in the hover text."""
    lines = textwrap.wrap(model, LABEL_CHARACTERS, break_on_hyphens=False) or [model]
    return lines if len(lines) <= 2 else [lines[0], lines[1][: LABEL_CHARACTERS - 1] + "…"]
