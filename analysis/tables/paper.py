"""What the paper printed (Smith et al. 2020), for comparison beside our own figures."""

from __future__ import annotations

from ratings.axes import Axis

#: Table 7's means by row label; the order of the figures is that of ``Axis``. The paper gives intervals only as
#: "+-0.2 or 0.3".
_TABLE_7 = {
    "ConvAI2": (3.2, 3.1, 3.4, 3.0),
    "WoW": (3.3, 2.9, 2.7, 2.6),
    "ED": (3.4, 3.3, 3.0, 3.0),
    "BST": (3.5, 3.6, 3.1, 3.3),
    "Random-Skill": (3.2, 2.9, 3.2, 2.7),
    "MT Two-Stage": (3.7, 3.6, 3.3, 3.5),
    "MT Single-Skills": (3.7, 3.6, 3.0, 3.4),
    "MT Single-Skills +BST fine-tuning": (3.7, 3.8, 3.2, 3.6),
}


def table7_mean(model: str, axis: str) -> float | None:
    """The paper's mean for a row label, or None where the paper has no such row."""
    figures = _TABLE_7.get(model)
    return None if figures is None else figures[Axis.values.index(axis)]
