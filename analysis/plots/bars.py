"""Shares that fill a bar for each label."""

from __future__ import annotations

from analysis.plots.parts import (
    PlotlyFigure,
    Trace,
    colour,
    layout,
    plain,
    rows,
    rows_height,
    share_ticks,
)
from analysis.writeup.document import Bars

#: Strength of the colour of the lowest value; the highest has all of it.
FAINTEST = 0.12
#: More ticks would turn, and lose the last, beside names on a phone.
ON_A_PHONE = 2


def bars(plot: Bars) -> PlotlyFigure:
    labels = [label for label, _ in plot.bars]
    shares = {"range": [0, 1], "fixedrange": True, **share_ticks(ON_A_PHONE)}
    made = layout(rows_height(labels), shares, rows(labels))
    traces = [_value(plot, place) for place in range(len(plot.values))]
    margin = {"l": 8, "r": 24, "t": 8, "b": 30}
    return {
        "data": traces,
        "layout": {**made, "margin": margin, "barmode": "stack", "bargap": 0.25},
    }


def strength(plot: Bars, place: int) -> float:
    """Of the colour of a value, from faint for the lowest to full for the highest."""
    return round(FAINTEST + (1 - FAINTEST) * place / max(len(plot.values) - 1, 1), 3)


def _value(plot: Bars, place: int) -> Trace:
    value = plain(plot.values[place])
    shares = [shares[place] for _, shares in plot.bars]
    return {
        "type": "bar",
        "orientation": "h",
        "name": value,
        "meta": colour("accent", strength(plot, place)),
        "x": shares,
        "y": list(range(len(shares))),
        "marker": {"line": {"width": 0}},
        "customdata": [
            f"{plain(label)}<br>{value}: {100 * share:.0f} %"
            for (label, _), share in zip(plot.bars, shares, strict=True)
        ],
        "hovertemplate": "%{customdata}<extra></extra>",
    }
