"""How long the statistics take, from arrays of ratings and from the worker table.

    .venv/bin/python bench/statistics_speed.py [--rounds 5] [--large 1000000]

Ratings are simulated: 8 models, 4 axes, 10 talks a worker, the second size by 25,000 workers. Each figure is the median
of the rounds, on the clock and of the processor; the bootstrap is run once.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from machine import machine, memory_mb

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from analysis.statistics import best, contrasts, leniency, means, mixed, within
from analysis.statistics.agreement import worker_share
from analysis.statistics.bootstrap import bootstrap_means, percentile

MODELS, AXES, TALKS = 8, 4, 10
SMALL = 10_000


def ratings(
    n: int,
) -> tuple[means.Integers, means.Integers, means.Integers, means.Floats, tuple[int, int, int]]:
    """Arrays of n ratings: every talk is rated on all axes."""
    draw, talks = np.random.default_rng(1), n // AXES
    workers = talks // TALKS
    worker, model = np.arange(talks) % workers, draw.permutation(np.arange(talks) % MODELS)
    lenient, good = draw.normal(0, 0.6, workers), np.linspace(-0.3, 0.3, MODELS)
    level = 3.2 + lenient[worker] + good[model]
    score = np.clip(np.round(level[:, None] + draw.normal(0, 1, (talks, AXES))), 1, 5)
    axis = np.tile(np.arange(AXES), talks)
    return np.repeat(worker, AXES), np.repeat(model, AXES), axis, score.ravel(), (workers, MODELS, AXES)


def timed(way: Callable[[], object], rounds: int = 1) -> tuple[float, float]:
    """Median milliseconds on the clock, and of the processor."""
    clock, processor = [], []
    for _ in range(rounds):
        begun, worked = time.perf_counter(), time.process_time()
        way()
        clock.append((time.perf_counter() - begun) * 1000)
        processor.append((time.process_time() - worked) * 1000)
    return statistics.median(clock), statistics.median(processor)


def row(what: str, times: tuple[float, float], note: str = "") -> None:
    print(f"| {what} | {times[0]:,.1f} ms | {times[1]:,.1f} ms | {note} |", flush=True)


def measure(n: int, rounds: int) -> means.WorkerTable:
    """One size; returns its table."""
    arrays = ratings(n)
    size = f"{n:,} ratings, {arrays[-1][0]:,} workers"
    table = means.tabulate(*arrays)
    fitted = mixed.fit(table)
    cells = means.summarise(table)
    ways: dict[str, Callable[[], object]] = {
        "arrays to 32 Wilson-CR2 cells": lambda: means.wilson_cr2(means.summarise(means.tabulate(*arrays))),
        "table to 32 Wilson-CR2 cells": lambda: means.wilson_cr2(means.summarise(table)),
        "28 pairs by CR2, four axes": lambda: contrasts.cr2(table),
        "28 pairs by Welch": lambda: contrasts.welch(cells),
        "mixed model, four axes": lambda: mixed.fit(table),
        "28 pairs of it with Tukey's limits": lambda: mixed.differences(fitted).tukey_interval(),
        "comparisons with the best": lambda: best.compare_with_best(fitted),
        "28 pairs within workers": lambda: within.differences(table),
        "share of workers with limits": lambda: worker_share(table),
        "leniency of all workers": lambda: leniency.leniency(table, fitted),
    }
    for name, way in ways.items():
        way()
        row(name, timed(way, rounds), size)
    return table


def measure_bootstrap(table: means.WorkerTable) -> None:
    """2,000 replicates, and what they took of memory beyond what was there."""
    before = memory_mb(os.getpid())[0]
    took = timed(lambda: percentile(bootstrap_means(table)))
    grown = memory_mb(os.getpid())[1] - before
    row(
        "bootstrap, 2,000 replicates",
        took,
        f"{len(table.count):,} workers; at most {max(grown, 0):.0f} MB more",
    )


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--large", type=int, default=1_000_000, help="ratings of the second size")
    arguments = options.parse_args()
    print(
        f"{machine()}; numpy {np.__version__}\n\n| what | on the clock | processor | of |\n|---|---|---|---|"
    )
    for n in (SMALL, arguments.large):
        measure_bootstrap(measure(n, arguments.rounds))


main()
