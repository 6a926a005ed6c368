"""A report's figures as SVG: drawn by hand, coloured by the classes of the page that they stand in.

Every text is escaped; a figure's table stands beside it, so that the drawing itself is one picture with a name.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from html import escape

from analysis.writeup.document import Bars, Figure, Forest, Matrix
from analysis.writeup.wording import figure as figure_text
from analysis.writeup.wording import signed

WIDTH, LABEL_WIDTH, GAP = 480, 150, 8
ROW, AXIS_HEIGHT, POINT = 28, 26, 4.5
#: About what fits into the room for labels: in one line at 12 pixels, in each of two at 10.
LABEL_CHARACTERS, SMALL_LABEL_CHARACTERS = 22, 23
MATRIX_CELL_HEIGHT = 28
#: A narrower cell has no room for its figure, which a resting pointer is told and the table has.
LEAST_CELL_WIDTH = 38
STRONGEST_COLOUR = 0.45


def svg(figure: Figure, name: str) -> str:
    """``name`` is the id of the text that names the picture."""
    if isinstance(figure, Forest):
        return _forest(figure, name)
    return _bars(figure, name) if isinstance(figure, Bars) else _matrix(figure, name)


def _picture(height: float, parts: Iterator[str], name: str) -> str:
    body = "\n".join(parts)
    size = f'viewBox="0 0 {WIDTH} {height:g}" width="{WIDTH}" height="{height:g}"'
    return f'<svg role="img" aria-labelledby="{name}" {size}>\n{body}\n</svg>'


def _text(x: float, y: float, text: str, anchor: str = "start", kind: str = "") -> str:
    marked = f' class="{kind}"' if kind else ""
    return f'<text x="{x:g}" y="{y:g}" text-anchor="{anchor}"{marked}>{escape(text)}</text>'


def _label(middle: float, text: str, kind: str = "") -> str:
    """A line's name, around the middle of its row; in two small lines where it is long, cut where it is longer."""
    if len(text) <= LABEL_CHARACTERS:
        return _text(LABEL_WIDTH, middle + 4, text, "end", kind)
    first, *rest = textwrap.wrap(text, SMALL_LABEL_CHARACTERS)
    second = " ".join(rest)
    if len(second) > SMALL_LABEL_CHARACTERS:
        second = f"{second[: SMALL_LABEL_CHARACTERS - 1]}…"
    small = f"small {kind}".rstrip()
    lines = ((middle - 2, first), (middle + 9, second)) if second else ((middle + 4, first),)
    return "".join(_text(LABEL_WIDTH, y, line, "end", small) for y, line in lines)


def _titled(inside: str, title: str) -> str:
    """What a pointer that rests on it is told."""
    return f"<g><title>{escape(title)}</title>{inside}</g>"


# --- Intervals ----------------------------------------------------------------------------------------------


def _forest(plot: Forest, name: str) -> str:
    height = ROW * len(plot.intervals) + AXIS_HEIGHT
    return _picture(height, _forest_parts(plot, height), name)


def _forest_parts(plot: Forest, height: float) -> Iterator[str]:
    left, right, foot = LABEL_WIDTH + GAP, WIDTH - 2 * GAP, height - AXIS_HEIGHT + 4

    def x(value: float) -> float:
        return round(left + (value - plot.low) / (plot.high - plot.low) * (right - left), 1)

    for tick in _ticks(plot.low, plot.high):
        yield f'<line class="grid" x1="{x(tick):g}" x2="{x(tick):g}" y1="0" y2="{foot:g}"/>'
        yield _text(x(tick), height - 8, f"{tick:g}", "middle", "tick")
    for row, each in enumerate(plot.intervals):
        y = ROW * (row + 0.5)
        kind = "best" if each.strong else "other"
        bar = f'<line class="reach {kind}" x1="{x(each.low):g}" x2="{x(each.high):g}" y1="{y:g}" y2="{y:g}"/>'
        dot = f'<circle class="point {kind}" cx="{x(each.mean):g}" cy="{y:g}" r="{POINT}"/>'
        limits = f"{figure_text(each.low)} to {figure_text(each.high)}"
        yield _label(y, each.label, kind)
        yield _titled(bar + dot, f"{each.label}: {figure_text(each.mean)} ({limits})")
        if each.reference is not None and plot.low <= each.reference <= plot.high:
            yield _titled(
                _diamond(x(each.reference), y + 6), f"{each.label}, the paper: {each.reference:.1f}"
            )


def _diamond(x: float, y: float) -> str:
    return f'<path class="reference" d="M{x:g} {y - 4:g}l4 4l-4 4l-4 -4z"/>'


def _ticks(low: float, high: float) -> list[float]:
    """At most nine, a round distance apart."""
    for step in (k * 10**e for e in range(-3, 6) for k in (1, 2, 5)):
        first = -(-low // step)
        ticks = [round((first + k) * step, 6) for k in range(10) if (first + k) * step <= high + step * 1e-9]
        if len(ticks) < 10:
            return ticks
    return [low, high]


# --- Shares -------------------------------------------------------------------------------------------------


def _bars(plot: Bars, name: str) -> str:
    return _picture(ROW * len(plot.bars) + AXIS_HEIGHT, _bar_parts(plot), name)


def _bar_parts(plot: Bars) -> Iterator[str]:
    left, whole = LABEL_WIDTH + GAP, WIDTH - 2 * GAP - LABEL_WIDTH - GAP
    for row, (label, shares) in enumerate(plot.bars):
        y, at = ROW * row, float(left)
        yield _label(y + ROW / 2, label)
        for place, (value, share) in enumerate(zip(plot.values, shares, strict=True)):
            if share > 0:
                box = _box(at, y + 3, max(share * whole - 1, 0.5), ROW - 6, _step(place, len(plot.values)))
                yield _titled(box, f"{label}, {value}: {100 * share:.0f} %")
            at += share * whole
    yield from _key(plot, ROW * len(plot.bars) + AXIS_HEIGHT - 18)


def _key(plot: Bars, y: float) -> Iterator[str]:
    """What the colours mean."""
    width = min(90.0, (WIDTH - LABEL_WIDTH - 3 * GAP) / len(plot.values))
    for place, value in enumerate(plot.values):
        x = LABEL_WIDTH + GAP + place * width
        yield _box(x, y, 12, 12, _step(place, len(plot.values)))
        yield _text(x + 16, y + 10, value, "start", "tick")


def _box(x: float, y: float, width: float, height: float, opacity: float) -> str:
    place = f'x="{x:.1f}" y="{y:g}" width="{width:.1f}" height="{height:g}"'
    return f'<rect class="share" {place} fill-opacity="{opacity:.2f}"/>'


def _step(place: int, of: int) -> float:
    """From faint for the lowest value to full for the highest."""
    return 0.12 + 0.88 * place / max(of - 1, 1)


# --- Differences --------------------------------------------------------------------------------------------


def _matrix(plot: Matrix, name: str) -> str:
    head = ROW * 1.2
    return _picture(head + MATRIX_CELL_HEIGHT * len(plot.labels), _matrix_parts(plot, head), name)


def _matrix_parts(plot: Matrix, head: float) -> Iterator[str]:
    """Columns are numbered as rows are: names would not fit above them."""
    left = LABEL_WIDTH + GAP
    width = (WIDTH - left) / max(len(plot.labels), 1)
    for place, label in enumerate(plot.labels):
        yield _label(head + MATRIX_CELL_HEIGHT * (place + 0.5), f"{place + 1} {label}")
        yield _text(left + width * (place + 0.5), head - 8, str(place + 1), "middle", "tick")
    for row, values in enumerate(plot.values):
        for column, value in enumerate(values):
            x, y = left + width * column, head + MATRIX_CELL_HEIGHT * row
            if value is not None:
                shade = min(abs(value) / plot.full, 1) * STRONGEST_COLOUR
                inside = _difference(x, y, width, shade, value, plot.sure[row][column])
                yield _titled(inside, f"{plot.labels[row]} − {plot.labels[column]}: {signed(value)}")


def _difference(x: float, y: float, width: float, shade: float, value: float, sure: bool) -> str:
    kind = "above" if value >= 0 else "below"
    place = f'x="{x + 1:.1f}" y="{y + 1:g}" width="{width - 2:.1f}" height="{MATRIX_CELL_HEIGHT - 2:g}"'
    box = f'<rect class="{kind}" {place} fill-opacity="{shade:.2f}"/>'
    if width < LEAST_CELL_WIDTH:
        return box
    text, middle = signed(value) + ("*" if sure else ""), y + MATRIX_CELL_HEIGHT / 2 + 4
    return box + _text(round(x + width / 2, 1), middle, text, "middle", "sure" if sure else "number")
