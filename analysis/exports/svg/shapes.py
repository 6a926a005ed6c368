"""What all drawings share: their size, texts and scales. Every text is escaped; colours are those of classes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from html import escape

from analysis.writeup.labels import ems, lines, most_lines

WIDTH, LABEL_WIDTH, GAP = 480, 150, 8
ROW, AXIS_HEIGHT = 28, 26
#: Sizes of letters: of most, and of labels that take more than a line.
LETTERS, SMALL_LETTERS = 12, 10
#: Lines of a label, how far they are apart, and how high the row of one that takes all of them is.
MOST_LINES, LINE_HEIGHT, HIGH_ROW = 3, 11, 38


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


def row_height(labels: Iterable[str]) -> int:
    """As high as the label of most lines asks for; the same for all rows of a drawing."""
    return HIGH_ROW if most_lines(labels, LABEL_WIDTH / SMALL_LETTERS, MOST_LINES) == MOST_LINES else ROW


def row_label(middle: float, words: str, kind: str = "") -> str:
    """A line's name, around the middle of its row; in small lines where it is long, cut where it is longer."""
    if ems(words) * LETTERS <= LABEL_WIDTH:
        return writing(LABEL_WIDTH, middle + 4, words, "end", kind)
    parts = lines(words, LABEL_WIDTH / SMALL_LETTERS, MOST_LINES)
    top = middle + 3.5 - LINE_HEIGHT * (len(parts) - 1) / 2
    small = f"small {kind}".rstrip()
    return "".join(
        writing(LABEL_WIDTH, top + LINE_HEIGHT * place, part, "end", small)
        for place, part in enumerate(parts)
    )


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
