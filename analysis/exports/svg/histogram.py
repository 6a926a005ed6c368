"""How many lie between neighbouring edges."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from analysis.exports.svg.shapes import GAP, WIDTH, Drawing, Scale, line, ticks, titled, writing
from analysis.writeup.document import Histogram
from analysis.writeup.wording import bins, decimals, signed

HEIGHT, FOOT, LEFT = 190, 146, 40


def histogram(plot: Histogram) -> Drawing:
    return Drawing(HEIGHT, tuple(_parts(plot)))


def _parts(plot: Histogram) -> Iterator[str]:
    x = Scale(plot.edges[0], plot.edges[-1], LEFT, WIDTH - 2 * GAP)
    y = Scale(0, max(*plot.counts, 1), FOOT, 12)
    for many in ticks(0, max(*plot.counts, 1), most=5, finest=0):
        yield line("grid", (LEFT, y(many)), (WIDTH - 2 * GAP, y(many)))
        yield writing(LEFT - 8, y(many) + 4, f"{many:g}", "end", "tick")
    for (low, high), many, words in zip(pairwise(plot.edges), plot.counts, bins(plot.edges), strict=True):
        if many:
            place = f'x="{x(low) + 0.5:g}" y="{y(many):g}" width="{x(high) - x(low) - 1:.1f}"'
            box = f'<rect class="bin" {place} height="{FOOT - y(many):.1f}"/>'
            yield titled(box, f"{words}: {many} {plot.counted}")
    shown = ticks(plot.edges[0], plot.edges[-1])
    for tick in shown:
        yield writing(x(tick), FOOT + 16, signed(tick, decimals(shown)), "middle", "tick")
    if plot.edges[0] < 0 < plot.edges[-1]:
        yield line("zero", (x(0), 4), (x(0), FOOT))
    yield writing((LEFT + WIDTH - 2 * GAP) / 2, HEIGHT - 6, plot.over, "middle", "tick")
