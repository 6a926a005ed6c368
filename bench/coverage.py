"""How often intervals of means, or of differences, hold the truth: nine kinds of studies, simulated.

    .venv/bin/python bench/coverage.py [--differences] [--replicates 4000] [--only "2 models, 20 workers"] [--seed N]

A rating is 1 and the number of cuts below z = beta of the model + worker's effect + worker's effect for the model + a
standard normal. Talks are dealt to workers at random, models balanced. The truth is the mean over the whole population,
in closed form. Of 4,000 intervals that are independent of each other a coverage of 95 % has an error of .34 points.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from machine import machine
from scipy.special import ndtr

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from analysis.statistics import contrasts, means, mixed, within
from analysis.statistics.differences import pairs
from analysis.statistics.means import Floats, Integers, Intervals, WorkerTable

SD_WORKER_MODEL = 0.2
MIDDLE = np.array([-1.3, -0.6, 0.15, 1.0])
CEILING = np.array([-2.2, -1.7, -1.1, -0.35])
EIGHT = np.array([-0.5, -0.35, -0.2, -0.1, 0.0, 0.1, 0.2, 0.35])
TWO = np.array([0.0, 0.3])
#: Most talks of one worker where load is skewed.
CAP = 10
Method = Callable[[WorkerTable], Intervals]
OF_MEANS: dict[str, Method] = {
    "t": lambda table: means.t_plain(means.summarise(table)),
    "CR2-t": lambda table: means.t_cr2(means.summarise(table)),
    "Wilson-CR2": lambda table: means.wilson_cr2(means.summarise(table)),
}
OF_DIFFERENCES: dict[str, Method] = {
    "Welch": lambda table: contrasts.welch(means.summarise(table)).interval(),
    "CR2": lambda table: contrasts.cr2(table).interval(),
    "mixed model": lambda table: mixed.differences(mixed.fit(table)).interval(),
    "within workers": lambda table: within.differences(table).interval(),
}


@dataclass(frozen=True)
class Scenario:
    """One kind of study; ``talks`` are of each model."""

    name: str
    workers: int
    talks: int = 100
    sd_worker: float = 0.6
    cuts: Floats = field(default_factory=lambda: MIDDLE)
    betas: Floats = field(default_factory=lambda: EIGHT)
    skewed: bool = False

    @property
    def truth(self) -> Floats:
        """The models' means: one and the chances that z is above each cut."""
        sd = (self.sd_worker**2 + SD_WORKER_MODEL**2 + 1) ** 0.5
        above: Floats = 1 + ndtr((self.betas[:, None] - self.cuts) / sd).sum(axis=1)
        return above


SCENARIOS = (
    Scenario("as the paper: 8x100, 234 workers", 234),
    Scenario("skewed load, cap 10", 234, skewed=True),
    Scenario("80 workers x 10", 80),
    Scenario("20 workers x 40", 20),
    Scenario("ceiling, n=100", 234, cuts=CEILING, betas=EIGHT + 0.4),
    Scenario("n=25, 60 workers", 60, talks=25),
    Scenario("strong workers, 80", 80, sd_worker=1.2),
    Scenario("2 models, 20 workers", 20, sd_worker=0.9, betas=TWO),
    Scenario("ceiling, n=20", 40, talks=20, cuts=CEILING, betas=EIGHT + 0.6),
)


def loads(scenario: Scenario, draw: np.random.Generator) -> Integers:
    """Whose each talk is."""
    talks = scenario.talks * len(scenario.betas)
    if not scenario.skewed:
        return np.arange(talks) % scenario.workers
    weight = draw.gamma(0.5, size=scenario.workers) + 0.02
    held = np.zeros(scenario.workers, dtype=np.int64)
    while (missing := talks - int(held.sum())) > 0:
        free = np.where(held < CAP, weight, 0)
        held = np.minimum(held + draw.multinomial(missing, free / free.sum()), CAP)
    return np.repeat(np.arange(scenario.workers), held)


def study(scenario: Scenario, draw: np.random.Generator) -> WorkerTable:
    """Simulate a study on one axis."""
    models = len(scenario.betas)
    worker = loads(scenario, draw)
    model = draw.permutation(np.repeat(np.arange(models), scenario.talks))
    own = draw.normal(0, scenario.sd_worker, (scenario.workers, 1))
    effect = scenario.betas + own + draw.normal(0, SD_WORKER_MODEL, (scenario.workers, models))
    z = effect[worker, model] + draw.normal(size=len(worker))
    score = 1.0 + (z[:, None] > scenario.cuts).sum(axis=1)
    axis = np.zeros_like(worker)
    return means.tabulate(worker, model, axis, score, (scenario.workers, models, 1))


def covered(
    scenario: Scenario, methods: dict[str, Method], truth: Floats, replicates: int, draw: np.random.Generator
) -> dict[str, tuple[float, float]]:
    """Share of intervals that hold the truth, in per cent, and mean half-width, by method."""
    held, width = {name: 0.0 for name in methods}, {name: 0.0 for name in methods}
    for _ in range(replicates):
        table = study(scenario, draw)
        for name, method in methods.items():
            interval = method(table)
            held[name] += float(((interval.low <= truth) & (truth <= interval.high)).mean())
            width[name] += float(np.nanmean(interval.high - interval.low)) / 2
    return {name: (100 * held[name] / replicates, width[name] / replicates) for name in methods}


def show(chosen: list[int], differences: bool, replicates: int, seed: int) -> None:
    """Print a row a scenario, each with draws of its own."""
    methods = OF_DIFFERENCES if differences else OF_MEANS
    print(f"| scenario | {' | '.join(methods)} |\n|{'---|' * (len(methods) + 1)}")
    for number in chosen:
        scenario = SCENARIOS[number]
        first, second = pairs(len(scenario.betas))
        truth = scenario.truth[first] - scenario.truth[second] if differences else scenario.truth
        found = covered(scenario, methods, truth[:, None], replicates, np.random.default_rng([seed, number]))
        figures = " | ".join(f"{share:.1f} / {half:.3f}" for share, half in found.values())
        print(f"| {scenario.name} | {figures} |", flush=True)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--differences", action="store_true", help="of all pairs of models, not of means")
    options.add_argument("--replicates", type=int, default=4_000)
    options.add_argument("--only", help="one scenario, by its name")
    options.add_argument("--seed", type=int, default=20_200_401)
    arguments = options.parse_args()
    chosen = [n for n, each in enumerate(SCENARIOS) if arguments.only in (None, each.name)]
    if not chosen:
        options.error(
            f"no scenario {arguments.only!r}; there are {', '.join(each.name for each in SCENARIOS)}"
        )
    begun = time.perf_counter()
    print(f"{machine()}; {arguments.replicates} replicates, seed {arguments.seed}\n")
    show(chosen, arguments.differences, arguments.replicates, arguments.seed)
    print(f"\ncoverage in per cent / half-width; {time.perf_counter() - begun:.0f} s")


main()
