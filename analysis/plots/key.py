"""What the signs of charts mean, once for all charts of a part."""

from __future__ import annotations

from dataclasses import dataclass

from analysis.plots.bars import strength
from analysis.writeup.document import Bars, Curve, Figure, Forest, Matrix


@dataclass(frozen=True, slots=True)
class Sign:
    """``kind`` names the drawing, ``strength`` (0 to 1) how much colour it has."""

    kind: str
    words: str
    strength: float = 1.0


def key(figure: Figure) -> tuple[Sign, ...]:
    match figure:
        case Forest():
            paper = any(each.reference is not None for each in figure.intervals)
            signs = [Sign("best", "within the best model’s interval"), Sign("other", "other models")]
            return (*signs, *([Sign("paper", "the paper’s means")] if paper else []))
        case Bars():
            return tuple(
                Sign("share", value, strength(figure, place)) for place, value in enumerate(figure.values)
            )
        case Matrix():
            return (
                Sign("share", "row above column", 0.45),
                Sign("below", "row below column", 0.45),
                Sign("star", "Tukey’s p is small"),
            )
        case Curve():
            lines = [Sign("line-best" if each.strong else "line-other", each.label) for each in figure.lines]
            power = f"{100 * figure.wanted:.0f} % power"
            return (*lines, Sign("wanted", power), Sign("now", figure.mark))
        case _:
            return ()
