"""Intervals under each other."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from analysis.plots.parts import (
    PlotlyFigure,
    Trace,
    colour,
    layout,
    plain,
    rows,
    rows_height,
)
from analysis.writeup.document import Forest, Interval
from analysis.writeup.wording import figure as figure_text

#: The paper's sign stands this share of a row below ours, so that neither hides the other.
PAPER_BELOW = 0.3


def forest(plot: Forest) -> PlotlyFigure:
    """A line each, in the report's order, with what they are compared with as a third trace."""
    lines = plot.intervals
    traces = [
        _intervals(lines, "Within the best model's interval", "accent", "circle", lambda each: each.strong),
        _intervals(lines, "Other models", "ink-2", "circle-open", lambda each: not each.strong),
        _paper(lines),
    ]
    return {"data": [trace for trace in traces if trace["x"]], "layout": _layout(plot)}


def _intervals(
    lines: Sequence[Interval], name: str, role: str, symbol: str, belongs: Callable[[Interval], bool]
) -> Trace:
    points = [(place, each) for place, each in enumerate(lines) if belongs(each)]
    return {
        "type": "scatter",
        "mode": "markers",
        "name": name,
        "meta": colour(role),
        "x": [each.mean for _, each in points],
        "y": [place for place, _ in points],
        "error_x": {
            "type": "data",
            "symmetric": False,
            "array": [each.high - each.mean for _, each in points],
            "arrayminus": [each.mean - each.low for _, each in points],
            "thickness": 3,
            "width": 0,
        },
        "marker": {"size": 11, "symbol": symbol, "line": {"width": 2}},
        "customdata": [_hover(each) for _, each in points],
        "hovertemplate": "%{customdata}<extra></extra>",
    }


def _paper(lines: Sequence[Interval]) -> Trace:
    points = [
        (place, each.label, each.reference) for place, each in enumerate(lines) if each.reference is not None
    ]
    return {
        "type": "scatter",
        "mode": "markers",
        "name": "The paper's mean",
        "meta": colour("warn"),
        "x": [mean for _, _, mean in points],
        "y": [place + PAPER_BELOW for place, _, _ in points],
        "marker": {"size": 9, "symbol": "diamond-open", "line": {"width": 1.5}},
        "customdata": [f"{plain(model)}<br>the paper: {mean:.1f}" for _, model, mean in points],
        "hovertemplate": "%{customdata}<extra></extra>",
    }


def _hover(each: Interval) -> str:
    figures = f"{figure_text(each.mean)} ({figure_text(each.low)}–{figure_text(each.high)})"
    paper = "" if each.reference is None else f"the paper: {each.reference:.1f}"
    return "<br>".join(filter(None, [plain(each.label), figures, each.note, paper]))


def _layout(plot: Forest) -> dict[str, object]:
    margin = 0.06 * (plot.high - plot.low)
    xaxis = {"range": [plot.low - margin, plot.high + margin], "nticks": 8}
    labels = [each.label for each in plot.intervals]
    return layout(rows_height(labels), xaxis, rows(labels))
