"""What plotly's figures share: texts that are no markup, and the frame around a drawing.

Figures name colours by role (``meta.role``) and, where it is not full, its strength (``meta.strength``, 0 to 1); the
page's script fills in the theme's colours.
"""

from __future__ import annotations

from collections.abc import Sequence

from analysis.writeup.labels import lines, most_lines

Trace = dict[str, object]
PlotlyFigure = dict[str, object]
#: Room for a label in sizes of its letters, and the most lines of it.
LABEL_EMS, MOST_LINES = 10.8, 3
ROW_HEIGHT_PX, HIGH_ROW_HEIGHT_PX, FRAME_HEIGHT_PX = 34, 50, 46


def plain(text: str) -> str:
    """Text for plotly, which takes some tags and entities in labels for markup.

    Of its tags only ``<br>`` is ours to use: the others become style attributes, which the content policy forbids.
    """
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def label(text: str) -> str:
    """Three lines at most; what is left out of a longer name stands in the hover text."""
    return "<br>".join(map(plain, lines(text, LABEL_EMS, MOST_LINES)))


def rows_height(labels: Sequence[str]) -> int:
    """Of a drawing with a row for each label, and the frame around it."""
    high = most_lines(labels, LABEL_EMS, MOST_LINES) == MOST_LINES
    return FRAME_HEIGHT_PX + (HIGH_ROW_HEIGHT_PX if high else ROW_HEIGHT_PX) * len(labels)


def height_px(figure: PlotlyFigure) -> float:
    layout = figure["layout"]
    assert isinstance(layout, dict)
    return float(layout["height"])


def colour(role: str, strength: float = 1.0) -> dict[str, object]:
    return {"role": role, "strength": strength}


def layout(height: float, xaxis: dict[str, object], yaxis: dict[str, object]) -> dict[str, object]:
    """``height`` in pixels; nothing moves by dragging, so that fingers scroll the page."""
    return {
        "height": height,
        "margin": {"l": 8, "r": 8, "t": 8, "b": 30},
        "showlegend": False,
        "dragmode": False,
        "hovermode": "closest",
        "xaxis": {"zeroline": False, "ticks": "", **xaxis},
        "yaxis": {
            "zeroline": False,
            "ticks": "",
            "ticklabelstandoff": 6,
            "automargin": True,
            "fixedrange": True,
            **yaxis,
        },
    }


def share_ticks(parts: int = 5) -> dict[str, object]:
    """Ticks of an axis from 0 to 1, so many apart, in per cent."""
    shares = [place / parts for place in range(parts + 1)]
    return {"tickvals": shares, "ticktext": [f"{100 * share:.0f} %" for share in shares]}


def rows(labels: Sequence[str]) -> dict[str, object]:
    """A vertical axis with a name for each row, from the top."""
    return {
        "range": [len(labels) - 0.5, -0.5],
        "tickvals": list(range(len(labels))),
        "ticktext": [label(each) for each in labels],
        "showgrid": False,
    }
