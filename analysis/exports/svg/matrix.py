"""Differences, row minus column."""

from __future__ import annotations

import math
from collections.abc import Iterator

from analysis.exports.svg.shapes import (
    GAP,
    LABEL_WIDTH,
    ROW,
    WIDTH,
    Drawing,
    row_height,
    row_label,
    titled,
    writing,
)
from analysis.writeup.document import Matrix
from analysis.writeup.wording import signed

#: Room for each letter of a figure. Where the longest has none, cells hold stars alone: a resting pointer is told the
#: figures, and the table has them.
LETTER_WIDTH = 6.3
#: Cells under which column numbers are small, and those under which not every column has its number.
SMALL_NUMBERS, LEAST_NUMBERS = 18, 12
STRONGEST_COLOUR = 0.45


def matrix(plot: Matrix) -> Drawing:
    labels = [f"{place} {label}" for place, label in enumerate(plot.labels, start=1)]
    row, head = row_height(labels), ROW * 1.2
    parts = (*_names(labels, row, head), *_numbers(len(labels), head), *_cells(plot, row, head))
    return Drawing(head + row * len(labels), parts)


def _names(labels: list[str], row: float, head: float) -> Iterator[str]:
    for place, label in enumerate(labels):
        yield row_label(head + row * (place + 0.5), label)


def _cell_width(models: int) -> float:
    return (WIDTH - LABEL_WIDTH - GAP) / max(models, 1)


def _numbers(models: int, head: float) -> Iterator[str]:
    """Columns are numbered as rows are: names would not fit above them."""
    width = _cell_width(models)
    kind = "tick small" if width < SMALL_NUMBERS else "tick"
    for place in range(0, models, math.ceil(LEAST_NUMBERS / width)):
        x = LABEL_WIDTH + GAP + width * (place + 0.5)
        yield writing(round(x, 1), head - 8, str(place + 1), "middle", kind)


def _cells(plot: Matrix, row: float, head: float) -> Iterator[str]:
    width, words = _cell_width(len(plot.labels)), _words(plot)
    for first, values in enumerate(plot.values):
        for second, value in enumerate(values):
            if value is not None:
                x, y = LABEL_WIDTH + GAP + width * second, head + row * first
                box = _box((x, y), (width, row), value, plot.full)
                kind = "sure" if plot.sure[first][second] else "number"
                text = writing(round(x + width / 2, 1), y + row / 2 + 4, words[first][second], "middle", kind)
                pair = f"{plot.labels[first]} − {plot.labels[second]}: {signed(value)}"
                yield titled(box + (text if words[first][second] else ""), pair)


def _words(plot: Matrix) -> list[list[str]]:
    """What stands in each cell."""
    stars = [["*" if sure else "" for sure in line] for line in plot.sure]
    figures = [
        ["" if value is None else signed(value) + star for value, star in zip(*line, strict=True)]
        for line in zip(plot.values, stars, strict=True)
    ]
    longest = max((len(words) for line in figures for words in line), default=0)
    return figures if longest * LETTER_WIDTH <= _cell_width(len(plot.labels)) else stars


def _box(at: tuple[float, float], size: tuple[float, float], value: float, full: float) -> str:
    (x, y), (width, height) = at, size
    kind, shade = "above" if value >= 0 else "below", min(abs(value) / full, 1) * STRONGEST_COLOUR
    place = f'x="{x + 1:.1f}" y="{y + 1:g}" width="{width - 2:.1f}" height="{height - 2:g}"'
    return f'<rect class="{kind}" {place} fill-opacity="{shade:.2f}"/>'
