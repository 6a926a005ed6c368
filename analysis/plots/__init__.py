"""A report's figures for plotly, and the small drawings inside a table's cells."""

from __future__ import annotations

from analysis.plots.bars import bars
from analysis.plots.curve import curve
from analysis.plots.forest import forest
from analysis.plots.histogram import histogram
from analysis.plots.matrix import matrix
from analysis.plots.parts import PlotlyFigure
from analysis.writeup.document import Bars, Curve, Figure, Forest, Histogram, Matrix


def plotly_figure(figure: Figure) -> PlotlyFigure:
    match figure:
        case Forest():
            return forest(figure)
        case Bars():
            return bars(figure)
        case Matrix():
            return matrix(figure)
        case Histogram():
            return histogram(figure)
        case Curve():
            return curve(figure)
