"""Shares over numbers, with the share that is wanted and the number that there is."""

from __future__ import annotations

from analysis.plots.parts import (
    PlotlyFigure,
    Trace,
    colour,
    layout,
    plain,
    share_ticks,
)
from analysis.writeup.document import Curve, Line
from analysis.writeup.wording import count

HEIGHT_PX = 260


def curve(plot: Curve) -> PlotlyFigure:
    wanted = _straight(
        f"{100 * plot.wanted:.0f} % power", "ink-2", "dot", [(0, plot.wanted), (plot.end, plot.wanted)]
    )
    now = _straight(f"{plot.mark}: {count(round(plot.now))}", "warn", "dash", [(plot.now, 0), (plot.now, 1)])
    xaxis = {
        "range": [0, plot.end],
        "title": {"text": plain(plot.over)},
        "tickformat": ",d",
        "fixedrange": True,
    }
    yaxis = {"range": [0, 1.02], **share_ticks()}
    made = layout(HEIGHT_PX, xaxis, yaxis)
    margin = {"l": 8, "r": 16, "t": 8, "b": 46}
    lines = [_line(each, plot.over) for each in plot.lines]
    return {"data": [wanted, now, *lines], "layout": {**made, "margin": margin}}


def _line(each: Line, over: str) -> Trace:
    label, what = plain(each.label), plain(f"{over[:1].lower()}{over[1:]}")
    return {
        "type": "scatter",
        "mode": "lines",
        "name": label,
        "meta": colour("accent" if each.strong else "ink-2"),
        "x": [number for number, _ in each.points],
        "y": [share for _, share in each.points],
        "line": {"width": 2.5, "simplify": False},
        "customdata": [
            f"{label}<br>{count(round(n))} {what}: {100 * share:.0f} %" for n, share in each.points
        ],
        "hovertemplate": "%{customdata}<extra></extra>",
    }


def _straight(name: str, role: str, dash: str, points: list[tuple[float, float]]) -> Trace:
    return {
        "type": "scatter",
        "mode": "lines",
        "name": name,
        "meta": colour(role),
        "x": [x for x, _ in points],
        "y": [y for _, y in points],
        "line": {"width": 1.5, "dash": dash},
        "customdata": [name] * len(points),
        "hovertemplate": "%{customdata}<extra></extra>",
    }
