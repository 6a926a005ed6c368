"""Shares that fill a bar for each label."""

from __future__ import annotations

from collections.abc import Iterator

from analysis.exports.svg.shapes import (
    AXIS_HEIGHT,
    GAP,
    LABEL_WIDTH,
    ROW,
    WIDTH,
    Drawing,
    row_label,
    titled,
    writing,
)
from analysis.writeup.document import Bars


def bars(plot: Bars) -> Drawing:
    return Drawing(ROW * len(plot.bars) + AXIS_HEIGHT, tuple(_parts(plot)))


def _parts(plot: Bars) -> Iterator[str]:
    left, whole = LABEL_WIDTH + GAP, WIDTH - 2 * GAP - LABEL_WIDTH - GAP
    for row, (label, shares) in enumerate(plot.bars):
        y, at = ROW * row, float(left)
        yield row_label(y + ROW / 2, label)
        for place, (value, share) in enumerate(zip(plot.values, shares, strict=True)):
            if share > 0:
                box = _box(at, y + 3, max(share * whole - 1, 0.5), ROW - 6, _step(place, len(plot.values)))
                yield titled(box, f"{label}, {value}: {100 * share:.0f} %")
            at += share * whole
    yield from _key(plot, ROW * len(plot.bars) + AXIS_HEIGHT - 18)


def _key(plot: Bars, y: float) -> Iterator[str]:
    """What the colours mean."""
    width = min(90.0, (WIDTH - LABEL_WIDTH - 3 * GAP) / len(plot.values))
    for place, value in enumerate(plot.values):
        x = LABEL_WIDTH + GAP + place * width
        yield _box(x, y, 12, 12, _step(place, len(plot.values)))
        yield writing(x + 16, y + 10, value, "start", "tick")


def _box(x: float, y: float, width: float, height: float, opacity: float) -> str:
    place = f'x="{x:.1f}" y="{y:g}" width="{width:.1f}" height="{height:g}"'
    return f'<rect class="share" {place} fill-opacity="{opacity:.2f}"/>'


def _step(place: int, of: int) -> float:
    """From faint for the lowest value to full for the highest."""
    return 0.12 + 0.88 * place / max(of - 1, 1)
