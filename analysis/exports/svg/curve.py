"""Shares over numbers, with the share that is wanted and the number that there is."""

from __future__ import annotations

from collections.abc import Iterator

from analysis.exports.svg.shapes import GAP, WIDTH, Drawing, Scale, line, ticks, titled, writing
from analysis.writeup.document import Curve, Line
from analysis.writeup.wording import count

HEIGHT, FOOT, LEFT = 220, 176, 48
RIGHT = WIDTH - 3 * GAP
KEY_WIDTH, KEY_ROW = 112, 16


def curve(plot: Curve) -> Drawing:
    return Drawing(HEIGHT, tuple(_parts(plot)))


def _parts(plot: Curve) -> Iterator[str]:
    x, y = Scale(0, plot.end, LEFT, RIGHT), Scale(0, 1, FOOT, 10)
    for share in (0, 0.2, 0.4, 0.6, 0.8, 1):
        yield line("grid", (LEFT, y(share)), (RIGHT, y(share)))
        yield writing(LEFT - 8, y(share) + 4, f"{100 * share:.0f} %", "end", "tick")
    for tick in ticks(0, plot.end, most=7, finest=0):
        yield writing(x(tick), FOOT + 16, count(round(tick)), "middle", "tick")
    yield line("wanted", (LEFT, y(plot.wanted)), (RIGHT, y(plot.wanted)))
    yield line("now", (x(plot.now), 10), (x(plot.now), FOOT))
    for each in plot.lines:
        points = " ".join(f"{x(number):g},{y(share):g}" for number, share in each.points)
        yield titled(f'<polyline class="curve {_kind(each)}" points="{points}"/>', each.label)
    yield writing((LEFT + RIGHT) / 2, HEIGHT - 6, plot.over, "middle", "tick")
    yield from _key(plot)


def _key(plot: Curve) -> Iterator[str]:
    """In the lower right, which rising curves leave free."""
    left = RIGHT - KEY_WIDTH
    entries = [(f"curve {_kind(each)}", each.label) for each in plot.lines]
    entries += [
        ("wanted", f"{100 * plot.wanted:.0f} % power"),
        ("now", f"{plot.mark}: {count(round(plot.now))}"),
    ]
    for row, (kind, words) in enumerate(entries):
        y = FOOT - 12 - KEY_ROW * (len(entries) - 1 - row)
        yield line(kind, (left, y), (left + 20, y))
        yield writing(left + 26, y + 4, words, "start", "tick")


def _kind(each: Line) -> str:
    return "best" if each.strong else "other"
