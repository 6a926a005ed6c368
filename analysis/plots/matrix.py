"""Differences, row minus column."""

from __future__ import annotations

from analysis.plots.parts import PlotlyFigure, layout, plain, rows, rows_height
from analysis.writeup.document import Matrix
from analysis.writeup.wording import signed


def matrix(plot: Matrix) -> PlotlyFigure:
    """Columns are numbered as rows are: names would not fit above them."""
    places = list(range(len(plot.labels)))
    trace = {
        "type": "heatmap",
        "meta": {"role": "differences"},
        "x": places,
        "y": places,
        "z": plot.values,
        "zmin": -plot.full,
        "zmax": plot.full,
        "xgap": 2,
        "ygap": 2,
        "showscale": False,
        "hoverongaps": False,
        "text": [[_text(plot, row, column) for column in places] for row in places],
        "texttemplate": "%{text}",
        "customdata": [[_hover(plot, row, column) for column in places] for row in places],
        "hovertemplate": "%{customdata}<extra></extra>",
    }
    numbers = {
        "tickvals": places,
        "ticktext": [str(place + 1) for place in places],
        "side": "top",
        "showgrid": False,
        "fixedrange": True,
    }
    labels = [f"{place} {label}" for place, label in enumerate(plot.labels, start=1)]
    made = layout(rows_height(labels), numbers, rows(labels))
    return {"data": [trace], "layout": {**made, "margin": {"l": 8, "r": 8, "t": 30, "b": 8}}}


def _text(plot: Matrix, row: int, column: int) -> str:
    value = plot.values[row][column]
    return "" if value is None else signed(value) + ("*" if plot.sure[row][column] else "")


def _hover(plot: Matrix, row: int, column: int) -> str:
    """Empty where there is no difference: plotly shows nothing there."""
    value, sure = plot.values[row][column], plot.sure[row][column]
    if value is None:
        return ""
    pair = f"{plain(plot.labels[row])} −<br>{plain(plot.labels[column])}"
    return f"{pair}<br>{signed(value)}{', Tukey’s p is small' if sure else ''}"
