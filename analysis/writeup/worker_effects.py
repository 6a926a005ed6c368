"""How lenient workers are, as counts of workers: nobody is named, and nobody can be found among thousands."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from analysis.inference import Analysis
from analysis.statistics.means import Floats
from analysis.writeup.document import Grid, Histogram, Shown, Table
from analysis.writeup.wording import bins, count

COLUMNS = ("axis", "low", "high", "workers")
#: Widths of a bin, as shares of a point of the paper's scale; taken is the narrowest that needs no more bins.
WIDTHS, MOST_BINS = (0.05, 0.1, 0.2, 0.25, 0.5), 30
#: Fewer workers make no distribution.
FEWEST_WORKERS = 5


def worker_effects(analysis: Analysis) -> tuple[tuple[Histogram, ...], tuple[Grid, ...], Table]:
    """A histogram for each axis on which workers differ, all with the same bins, and their figures."""
    effects = {a: found for a in range(len(analysis.table.axes)) if len(found := _effects(analysis, a))}
    edges = _edges(effects, analysis.options.scale.width / 4)
    binned = {a: _binned(found, edges) for a, found in effects.items()}
    ends = list(pairwise(edges))
    table = Table(
        "worker_effects",
        COLUMNS,
        tuple(
            (analysis.table.axes[a].value, low, high, workers)
            for a, counts in binned.items()
            for (low, high), workers in zip(ends, counts, strict=True)
        ),
    )
    figures = tuple(
        Histogram(analysis.table.axes[a].label, "Points above the average worker", "workers", edges, counts)
        for a, counts in binned.items()
    )
    return figures, _grids(analysis, binned, edges), table


def _effects(analysis: Analysis, a: int) -> Floats:
    """Of those who rated on the axis, (W,); none where workers do not differ, or are too few to show."""
    found = analysis.leniency
    rated = found.shrinkage[:, a] > 0  # not NaN, and nobody whose effect is only a guess
    effects: Floats = found.effect[rated, a]
    return effects if len(effects) >= FEWEST_WORKERS else effects[:0]


def _edges(effects: dict[int, Floats], point: float) -> tuple[float, ...]:
    """N + 1 edges around all effects, at multiples of a round width; ``point`` is a point of the paper's scale."""
    if not effects:
        return ()
    low, high = (float(end(np.concatenate(list(effects.values())))) for end in (np.min, np.max))
    for share in WIDTHS:
        width = share * point
        first, last = int(np.floor(low / width)), int(np.floor(high / width)) + 1
        if last - first <= MOST_BINS:
            break
    return tuple(round(step * width, 10) for step in range(first, last + 1))


def _binned(effects: Floats, edges: tuple[float, ...]) -> tuple[int, ...]:
    return tuple(int(workers) for workers in np.histogram(effects, edges)[0])


def _grids(
    analysis: Analysis, binned: dict[int, tuple[int, ...]], edges: tuple[float, ...]
) -> tuple[Grid, ...]:
    if not binned:
        return ()
    rows = tuple(
        (
            Shown(words),
            *(Shown(count(counts[place])) for counts in binned.values()),
        )
        for place, words in enumerate(bins(edges))
    )
    head = ("Points above the average worker", *(analysis.table.axes[a].label for a in binned))
    return (Grid("Workers by leniency", head, rows, detail=True),)
