"""What plotly's figures share: texts that are no markup, and the frame around a drawing.

Figures name colours by role (``meta.role``) and, where it is not full, its strength (``meta.strength``, 0 to 1); the
page's script fills in the theme's colours.
"""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

Trace = dict[str, object]
PlotlyFigure = dict[str, object]
LABEL_CHARACTERS = 18
ROW_HEIGHT_PX, FRAME_HEIGHT_PX = 34, 46


def plain(text: str) -> str:
    """Text for plotly, which takes some tags and entities in labels for markup.

    Of its tags only ``<br>`` is ours to use: the others become style attributes, which the content policy forbids.
    """
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def label(text: str) -> str:
    """Two lines at most; a longer name ends in an ellipsis and stands whole in the hover text."""
    lines = textwrap.wrap(text, LABEL_CHARACTERS, break_on_hyphens=False) or [text]
    shown = lines if len(lines) <= 2 else [lines[0], lines[1][: LABEL_CHARACTERS - 1] + "…"]
    return "<br>".join(map(plain, shown))


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


def share_ticks() -> dict[str, object]:
    """Ticks of an axis from 0 to 1, in per cent."""
    fifths = [place / 5 for place in range(6)]
    return {"tickvals": fifths, "ticktext": [f"{100 * share:.0f} %" for share in fifths]}


def rows(labels: Sequence[str]) -> dict[str, object]:
    """A vertical axis with a name for each row, from the top."""
    return {
        "range": [len(labels) - 0.5, -0.5],
        "tickvals": list(range(len(labels))),
        "ticktext": [label(each) for each in labels],
        "showgrid": False,
    }
