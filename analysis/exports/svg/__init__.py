"""A report's figures as SVG, coloured by the classes of the page, or the picture, that they stand in.

A figure's table stands beside it, so that the drawing itself is one picture with a name.
"""

from __future__ import annotations

from analysis.exports.svg.bars import bars
from analysis.exports.svg.curve import curve
from analysis.exports.svg.forest import forest
from analysis.exports.svg.histogram import histogram
from analysis.exports.svg.matrix import matrix
from analysis.exports.svg.shapes import WIDTH, Drawing
from analysis.writeup.document import Bars, Curve, Figure, Forest, Histogram, Matrix


def svg(figure: Figure, name: str) -> str:
    """For a page of HTML. ``name`` is the id of the text that names the picture."""
    drawing = drawn(figure)
    size = f'viewBox="0 0 {WIDTH} {drawing.height:g}" width="{WIDTH}" height="{drawing.height:g}"'
    body = "\n".join(drawing.elements)
    return f'<svg role="img" aria-labelledby="{name}" {size}>\n{body}\n</svg>'


def drawn(figure: Figure) -> Drawing:
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
