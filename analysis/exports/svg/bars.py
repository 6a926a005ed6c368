"""Shares that fill a bar for each label."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from analysis.exports.svg.shapes import (
    GAP,
    LABEL_WIDTH,
    LETTERS,
    WIDTH,
    Drawing,
    row_height,
    row_label,
    titled,
    writing,
)
from analysis.writeup.document import Bars
from analysis.writeup.labels import ems

SQUARE, KEY_ROW = 12, 18
#: As far apart as signs of the key stand where there is room.
LOOSE = 90.0


@dataclass(frozen=True, slots=True)
class _Key:
    """Where the signs of the values stand: beside each other under the bars, or in rows over the whole width."""

    left: float
    width: float
    columns: int

    @classmethod
    def of(cls, values: Sequence[str]) -> _Key:
        widest = SQUARE + 2 * GAP + LETTERS * max(map(ems, values))
        beside = (WIDTH - LABEL_WIDTH - 3 * GAP) / len(values)
        if beside >= widest:
            return cls(LABEL_WIDTH + GAP, min(LOOSE, beside), len(values))
        return cls(GAP, widest, max(int((WIDTH - GAP) / widest), 1))

    def place(self, number: int) -> tuple[float, float]:
        row, column = divmod(number, self.columns)
        return self.left + self.width * column, KEY_ROW * row

    def height(self, values: int) -> float:
        return GAP + KEY_ROW * math.ceil(values / self.columns)


def bars(plot: Bars) -> Drawing:
    row, key = row_height(label for label, _ in plot.bars), _Key.of(plot.values)
    foot = row * len(plot.bars)
    return Drawing(foot + key.height(len(plot.values)), (*_parts(plot, row), *_signs(plot, key, foot + GAP)))


def _parts(plot: Bars, row: float) -> Iterator[str]:
    left, whole = LABEL_WIDTH + GAP, WIDTH - 2 * GAP - LABEL_WIDTH - GAP
    for number, (label, shares) in enumerate(plot.bars):
        y, at = row * number, float(left)
        yield row_label(y + row / 2, label)
        for place, (value, share) in enumerate(zip(plot.values, shares, strict=True)):
            if share > 0:
                box = _box(at, y + 3, max(share * whole - 1, 0.5), row - 6, _step(place, len(plot.values)))
                yield titled(box, f"{label}, {value}: {100 * share:.0f} %")
            at += share * whole


def _signs(plot: Bars, key: _Key, top: float) -> Iterator[str]:
    """What the colours mean."""
    for number, value in enumerate(plot.values):
        x, y = key.place(number)
        yield _box(x, top + y, SQUARE, SQUARE, _step(number, len(plot.values)))
        yield writing(round(x + SQUARE + 4, 1), top + y + 10, value, "start", "tick")


def _box(x: float, y: float, width: float, height: float, opacity: float) -> str:
    place = f'x="{x:.1f}" y="{y:g}" width="{width:.1f}" height="{height:g}"'
    return f'<rect class="share" {place} fill-opacity="{opacity:.2f}"/>'


def _step(place: int, of: int) -> float:
    """From faint for the lowest value to full for the highest."""
    return 0.12 + 0.88 * place / max(of - 1, 1)
