"""The power curve as a figure for plotly. Colours go by role; the page's script fills in the theme's."""

from __future__ import annotations

from analysis.planning.scenario import Plan
from analysis.writeup.wording import count, figure, percent

Trace = dict[str, object]


def power_curve(plan: Plan) -> dict[str, object]:
    """Power against talks of each model, the plan's own number marked, the wanted power as a line."""
    talks = [point.talks for point in plan.curve]
    return {
        "data": [_wanted(plan, talks), _curve(plan, talks), _planned(plan)],
        "layout": {
            "height": 320,
            "margin": {"l": 8, "r": 16, "t": 8, "b": 8},
            "showlegend": False,
            "dragmode": False,
            "hovermode": "closest",
            "xaxis": {
                "title": {"text": "Talks of each model"},
                "rangemode": "tozero",
                "automargin": True,
                "zeroline": False,
            },
            "yaxis": {
                "title": {"text": "Power"},
                "range": [0, 1.03],
                "tickformat": ".0%",
                "automargin": True,
                "zeroline": False,
            },
        },
    }


def _curve(plan: Plan, talks: list[int]) -> Trace:
    return {
        "type": "scatter",
        "mode": "lines+markers",
        "name": "Power",
        "meta": {"role": "accent"},
        "x": talks,
        "y": [round(point.power, 6) for point in plan.curve],
        "line": {"width": 3},
        "marker": {"size": 5},
        "customdata": [
            f"{count(point.talks)} talks of each model<br>power {percent(point.power)}<br>"
            f"one look finds {figure(point.detectable)}"
            for point in plan.curve
        ],
        "hovertemplate": "%{customdata}<extra></extra>",
    }


def _wanted(plan: Plan, talks: list[int]) -> Trace:
    return {
        "type": "scatter",
        "mode": "lines",
        "name": "Wanted",
        "meta": {"role": "ink-2"},
        "x": [0, talks[-1]],
        "y": [plan.scenario.power] * 2,
        "line": {"width": 1.5, "dash": "dash"},
        "hoverinfo": "skip",
    }


def _planned(plan: Plan) -> Trace:
    return {
        "type": "scatter",
        "mode": "markers",
        "name": "The plan",
        "meta": {"role": "warn"},
        "x": [plan.talks],
        "y": [plan.scenario.power],
        "marker": {"size": 13, "symbol": "diamond"},
        "customdata": [f"the plan: {count(plan.talks)} talks of each model"],
        "hovertemplate": "%{customdata}<extra></extra>",
    }
