"""Figures and reasons in words."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

from analysis.statistics.differences import Untested

NOTHING = "–"
UNTESTED_WORDS = {
    Untested.NONE: "",
    Untested.NO_RATINGS: "no ratings",
    Untested.ONE_WORKER: "one worker gave all ratings that would tell",
    Untested.NO_VARIANCE: "no variance is left to compare with",
    Untested.NOT_LINKED: "no workers, and no chain of workers, rated both",
    Untested.TOO_FEW_RATINGS: "too few ratings for a variance",
}


def known(value: float) -> float | None:
    """None for NaN."""
    return None if math.isnan(value) else float(value)


def figure(value: float | None, digits: int = 2) -> str:
    """``3.41``, ``−0.20``; a dash where there is none."""
    if value is None or math.isnan(value):
        return NOTHING
    text = f"{value:.{digits}f}"
    return text.replace("-", "−") if float(text) else text.lstrip("-")


def exact(value: float) -> str:
    """What somebody chose: ``0.30``, and ``0.075`` rather than a rounded ``0.07``."""
    return figure(value) if abs(value - round(value, 2)) < 1e-9 else f"{value:.4g}"


def signed(value: float | None, digits: int = 2) -> str:
    """``+0.30``, ``−0.20``, ``0.00``."""
    text = figure(value, digits)
    return text if text == NOTHING or text.startswith("−") or not float(text) else f"+{text}"


def span(low: float | None, high: float | None, digits: int = 2) -> str:
    """``−0.10 to 0.30``; empty where there is no interval."""
    if low is None or high is None or math.isnan(low) or math.isnan(high):
        return ""
    return f"{figure(low, digits)} to {figure(high, digits)}"


def span_apart(low: float, high: float) -> str:
    """Limits of a difference: one that leaves zero out is not shown as zero."""
    near = 0 < low < 0.005 or -0.005 < high < 0
    return span(low, high, 4 if near else 2)


def decimals(values: Sequence[float], least: int = 0, most: int = 6) -> int:
    """The fewest digits after the point that tell round values apart from their neighbours."""
    tells = (d for d in range(least, most) if all(math.isclose(v, round(v, d), abs_tol=1e-9) for v in values))
    return next(tells, most)


def bins(edges: Sequence[float]) -> list[str]:
    """``−0.10 to 0.00``, ``0.00 to +0.10``: what lies between neighbouring edges."""
    digits = decimals(edges, least=2)
    return [f"{signed(low, digits)} to {signed(high, digits)}" for low, high in pairwise(edges)]


def p_value(p: float | None) -> str:
    """``.021``; ``< .001`` below that, ``> .999`` above; ``.0498`` rather than a ``.050`` that is below .05."""
    if p is None or math.isnan(p):
        return NOTHING
    if p < 0.001:
        return "< .001"
    if 0.0495 <= p < 0.05:
        return f"{min(p, 0.0499):.4f}".removeprefix("0")
    return f"{p:.3f}".removeprefix("0") if p < 0.9995 else "> .999"


def p_phrase(p: float) -> str:
    """``p = .021``, ``p < .001``."""
    text = p_value(p)
    return f"p {text}" if text[0] in "<>" else f"p = {text}"


def percent(share: float | None, digits: int = 1) -> str:
    return NOTHING if share is None or math.isnan(share) else f"{100 * share:.{digits}f} %"


def count(number: int) -> str:
    return f"{number:,}"


def counted(number: int, one: str, many: str = "") -> str:
    """``1 talk``, ``3 talks``."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def listed(names: Sequence[str], most: int = 4, last: str = "and") -> str:
    """``A``, ``A and B``, ``A, B and C``, ``A, B, C, D and 2 more``."""
    shown = list(names[:most]) + ([f"{len(names) - most} more"] if len(names) > most else [])
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} {last} {shown[-1]}"


def level_text(level: float) -> str:
    """``95 %``."""
    return f"{100 * level:g} %"
