"""What a figure shows, in a line."""

from __future__ import annotations

from analysis.writeup.document import Bars, Curve, Figure, Forest, Histogram, Matrix


def caption(figure: Figure) -> str:
    """The figure's title, and what its signs mean."""
    return f"{figure.title}: {signs(figure)}"


def signs(figure: Figure) -> str:
    match figure:
        case Forest():
            paper = any(each.reference is not None for each in figure.intervals)
            diamonds = ", the paper’s means as diamonds" if paper else ""
            return f"means and intervals; bold ones filled{diamonds}"
        case Bars():
            return f"shares of {figure.of}"
        case Matrix():
            return "row minus column; a star where Tukey's p is small"
        case Histogram():
            return f"{figure.counted} by {_inside(figure.over)}"
        case Curve():
            return f"{_inside(figure.what)}, by {_inside(figure.over)}"


def _inside(words: str) -> str:
    """As in the middle of a sentence."""
    return f"{words[:1].lower()}{words[1:]}"
