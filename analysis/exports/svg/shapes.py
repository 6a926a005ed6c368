"""What all drawings share: their size, texts and scales. Every text is escaped; colours are those of classes."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from html import escape

WIDTH, LABEL_WIDTH, GAP = 480, 150, 8
ROW, AXIS_HEIGHT = 28, 26
#: About what fits into the room for labels: in one line at 12 pixels, in each of two at 10.
LABEL_CHARACTERS, SMALL_LABEL_CHARACTERS = 22, 23


@dataclass(frozen=True, slots=True)
class Drawing:
    """Elements of SVG on ``WIDTH`` by ``height`` units."""

    height: float
    elements: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Scale:
    """From values between ``low`` and ``high`` to places between ``start`` and ``end``."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        return round(self.start + (value - self.low) / (self.high - self.low) * (self.end - self.start), 1)


def writing(x: float, y: float, words: str, anchor: str = "start", kind: str = "") -> str:
    marked = f' class="{kind}"' if kind else ""
    return f'<text x="{x:g}" y="{y:g}" text-anchor="{anchor}"{marked}>{escape(words)}</text>'


def row_label(middle: float, words: str, kind: str = "") -> str:
    """A line's name, around the middle of its row; in two small lines where it is long, cut where it is longer."""
    if len(words) <= LABEL_CHARACTERS:
        return writing(LABEL_WIDTH, middle + 4, words, "end", kind)
    first, *rest = textwrap.wrap(words, SMALL_LABEL_CHARACTERS)
    second = " ".join(rest)
    if len(second) > SMALL_LABEL_CHARACTERS:
        second = f"{second[: SMALL_LABEL_CHARACTERS - 1]}…"
    small = f"small {kind}".rstrip()
    lines = ((middle - 2, first), (middle + 9, second)) if second else ((middle + 4, first),)
    return "".join(writing(LABEL_WIDTH, y, line, "end", small) for y, line in lines)


def titled(inside: str, title: str) -> str:
    """What a pointer that rests on it is told."""
    return f"<g><title>{escape(title)}</title>{inside}</g>"


def line(kind: str, start: tuple[float, float], end: tuple[float, float]) -> str:
    (x1, y1), (x2, y2) = start, end
    return f'<line class="{kind}" x1="{x1:g}" x2="{x2:g}" y1="{y1:g}" y2="{y2:g}"/>'


def ticks(low: float, high: float, most: int = 9, finest: int = -3) -> list[float]:
    """At most so many, a round distance apart that is no finer than ``10**finest``."""
    for step in (k * 10**e for e in range(finest, 8) for k in (1, 2, 5)):
        first = -(-low // step)
        found = [
            round((first + k) * step, 6) for k in range(most + 1) if (first + k) * step <= high + step * 1e-9
        ]
        if len(found) <= most:
            return found
    return [low, high]
