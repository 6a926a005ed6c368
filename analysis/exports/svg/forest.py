"""Intervals under each other."""

from __future__ import annotations

from collections.abc import Iterator

from analysis.exports.svg.shapes import (
    AXIS_HEIGHT,
    GAP,
    LABEL_WIDTH,
    WIDTH,
    Drawing,
    Scale,
    line,
    row_height,
    row_label,
    ticks,
    titled,
    writing,
)
from analysis.writeup.document import Forest
from analysis.writeup.wording import figure as figure_text

POINT = 4.5


def forest(plot: Forest) -> Drawing:
    row = row_height(each.label for each in plot.intervals)
    height = row * len(plot.intervals) + AXIS_HEIGHT
    return Drawing(height, tuple(_parts(plot, row, height)))


def _parts(plot: Forest, row: float, height: float) -> Iterator[str]:
    foot = height - AXIS_HEIGHT + 4
    x = Scale(plot.low, plot.high, LABEL_WIDTH + GAP, WIDTH - 2 * GAP)
    for tick in ticks(plot.low, plot.high):
        yield line("grid", (x(tick), 0), (x(tick), foot))
        yield writing(x(tick), height - 8, f"{tick:g}".replace("-", "−"), "middle", "tick")
    for place, each in enumerate(plot.intervals):
        y = row * (place + 0.5)
        kind = "best" if each.strong else "other"
        bar = line(f"reach {kind}", (x(each.low), y), (x(each.high), y))
        dot = f'<circle class="point {kind}" cx="{x(each.mean):g}" cy="{y:g}" r="{POINT}"/>'
        limits = f"{figure_text(each.low)} to {figure_text(each.high)}"
        yield row_label(y, each.label, kind)
        yield titled(bar + dot, f"{each.label}: {figure_text(each.mean)} ({limits})")
        if each.reference is not None and plot.low <= each.reference <= plot.high:
            yield titled(_diamond(x(each.reference), y + 6), f"{each.label}, the paper: {each.reference:.1f}")


def _diamond(x: float, y: float) -> str:
    return f'<path class="reference" d="M{x:g} {y - 4:g}l4 4l-4 4l-4 -4z"/>'
