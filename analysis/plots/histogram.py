"""How many lie between neighbouring edges."""

from __future__ import annotations

from itertools import pairwise

from analysis.plots.parts import PlotlyFigure, colour, layout, plain
from analysis.writeup.document import Histogram
from analysis.writeup.wording import bins

HEIGHT_PX = 240


def histogram(plot: Histogram) -> PlotlyFigure:
    ends = list(pairwise(plot.edges))
    trace = {
        "type": "bar",
        "name": plain(plot.counted),
        "meta": colour("accent"),
        "x": [(low + high) / 2 for low, high in ends],
        "y": plot.counts,
        "width": [high - low for low, high in ends],
        "marker": {"line": {"width": 1}},
        "customdata": [
            f"{words}<br>{many} {plain(plot.counted)}"
            for words, many in zip(bins(plot.edges), plot.counts, strict=True)
        ],
        "hovertemplate": "%{customdata}<extra></extra>",
    }
    xaxis = {
        "range": [plot.edges[0], plot.edges[-1]],
        "title": {"text": plain(plot.over)},
        "zeroline": True,
        "showgrid": False,
        "fixedrange": True,
    }
    made = layout(HEIGHT_PX, xaxis, {"rangemode": "tozero", "nticks": 6, "tickformat": "d"})
    return {"data": [trace], "layout": {**made, "margin": {"l": 8, "r": 8, "t": 8, "b": 46}}}
