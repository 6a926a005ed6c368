"""Differences, row minus column."""

from __future__ import annotations

from collections.abc import Iterator

from analysis.exports.svg.shapes import GAP, LABEL_WIDTH, ROW, WIDTH, Drawing, row_label, titled, writing
from analysis.writeup.document import Matrix
from analysis.writeup.wording import signed

CELL_HEIGHT = 28
#: A narrower cell has no room for its figure, which a resting pointer is told and the table has.
LEAST_CELL_WIDTH = 38
STRONGEST_COLOUR = 0.45


def matrix(plot: Matrix) -> Drawing:
    head = ROW * 1.2
    return Drawing(head + CELL_HEIGHT * len(plot.labels), tuple(_parts(plot, head)))


def _parts(plot: Matrix, head: float) -> Iterator[str]:
    """Columns are numbered as rows are: names would not fit above them."""
    left = LABEL_WIDTH + GAP
    width = (WIDTH - left) / max(len(plot.labels), 1)
    for place, label in enumerate(plot.labels):
        yield row_label(head + CELL_HEIGHT * (place + 0.5), f"{place + 1} {label}")
        yield writing(left + width * (place + 0.5), head - 8, str(place + 1), "middle", "tick")
    for row, values in enumerate(plot.values):
        for column, value in enumerate(values):
            x, y = left + width * column, head + CELL_HEIGHT * row
            if value is not None:
                shade = min(abs(value) / plot.full, 1) * STRONGEST_COLOUR
                inside = _difference(x, y, width, shade, value, plot.sure[row][column])
                yield titled(inside, f"{plot.labels[row]} − {plot.labels[column]}: {signed(value)}")


def _difference(x: float, y: float, width: float, shade: float, value: float, sure: bool) -> str:
    kind = "above" if value >= 0 else "below"
    place = f'x="{x + 1:.1f}" y="{y + 1:g}" width="{width - 2:.1f}" height="{CELL_HEIGHT - 2:g}"'
    box = f'<rect class="{kind}" {place} fill-opacity="{shade:.2f}"/>'
    if width < LEAST_CELL_WIDTH:
        return box
    text, middle = signed(value) + ("*" if sure else ""), y + CELL_HEIGHT / 2 + 4
    return box + writing(round(x + width / 2, 1), middle, text, "middle", "sure" if sure else "number")
