"""A figure as a page shows it: drawn by plotly, or without a script as a picture, with files to keep."""

from __future__ import annotations

from dataclasses import dataclass

from analysis.exports.pictures import Picture
from analysis.plots import plotly_figure
from analysis.plots.parts import PlotlyFigure, height_px
from analysis.writeup.captions import signs


@dataclass(frozen=True, slots=True)
class Chart:
    """One figure: its name in addresses, its words, what plotly draws, and how high that is in pixels."""

    name: str
    title: str
    signs: str
    drawn: PlotlyFigure
    height: float


def chart(picture: Picture) -> Chart:
    drawn = plotly_figure(picture.figure)
    return Chart(picture.name, picture.figure.title, signs(picture.figure), drawn, height_px(drawn))
