"""A histogram's words: its ticks and its bins tell what they stand for."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest

from analysis.exports.svg import drawn
from analysis.writeup.document import Histogram
from analysis.writeup.wording import bins


@pytest.mark.parametrize("width", [0.0125, 0.05, 0.1, 2.5])
def test_ticks_are_as_far_apart_as_they_say(width: float) -> None:
    edges = tuple(width * place for place in range(-4, 6))
    plot = Histogram("Overall", "Points above the average worker", "workers", edges, tuple(range(9)))
    ticks = [
        (float(x), float(words.replace("−", "-")))
        for x, words in re.findall(r'<text x="([\d.]+)" y="162"[^>]*>([^<]+)<', "".join(drawn(plot).elements))
    ]
    assert len(ticks) > 2
    slopes = [(v2 - v1) / (x2 - x1) for (x1, v1), (x2, v2) in pairwise(ticks)]
    assert slopes == pytest.approx([slopes[0]] * len(slopes), rel=0.01)


def test_bins_have_as_many_digits_as_their_ends_need() -> None:
    assert bins((-0.1, 0, 0.1)) == ["−0.10 to 0.00", "0.00 to +0.10"]
    assert bins((0.0125, 0.025, 0.0375)) == ["+0.0125 to +0.0250", "+0.0250 to +0.0375"]
