"""How often studies that are looked at stop wrongly, and how soon they find what is there: simulated studies.

    .venv/bin/python bench/stopping.py [--replicates 2000] [--models 2 4] [--seed N]

A rating is as in bench/coverage.py: 1 and the number of cuts below z = beta of the model + worker's effect + a standard
normal. Workers hold four talks each, models dealt at random, and come one after the other; looks are taken at equal
distances by the mixed model, as planned looks of the site are. A model is called the best wrongly where two are equal
and the others far below, which is the worst case; any pair is told apart wrongly where all are equal; the best is found
where the last model is ahead of all others. Of 2,000 studies a rate of 5 % has an error of .5 points.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from machine import machine

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from analysis.statistics import means, stopping
from analysis.statistics.differences import pairs
from analysis.statistics.means import Floats, Integers
from analysis.statistics.terms import Question, Rule

CUTS = np.array([-1.3, -0.6, 0.15, 1.0])
SD_WORKER, TALKS_A_WORKER = 0.6, 4
TALKS, LOOKS = 100, 5
#: Of betas; the first is about half a point of the scale.
AHEAD, FAR = 0.45, 1.5
PEEKING = "1.96 at every look"
Limits = Callable[[Floats, float], Floats]


@dataclass(frozen=True)
class Seen:
    """Z of every pair at every look (K, P)."""

    z: Floats


def study(betas: Floats, draw: np.random.Generator) -> Seen:
    """Simulate a study and its looks."""
    models, talks = len(betas), TALKS * len(betas)
    stage = talks // LOOKS
    model = np.concatenate(
        [draw.permutation(np.repeat(np.arange(models), TALKS // LOOKS)) for _ in range(LOOKS)]
    )
    worker = np.arange(talks) // TALKS_A_WORKER
    own = draw.normal(0, SD_WORKER, worker[-1] + 1)
    z = betas[model] + own[worker] + draw.normal(size=talks)
    score = 1.0 + (z[:, None] > CUTS).sum(axis=1)
    first, second = pairs(models)
    return Seen(
        np.stack([_look(worker, model, score, (look + 1) * stage, first, second) for look in range(LOOKS)])
    )


def _look(
    worker: Integers, model: Integers, score: Floats, until: int, first: Integers, second: Integers
) -> Floats:
    """Z of every pair with the first talks of a study (P,)."""
    worker, model, score = worker[:until], model[:until], score[:until]
    shape = (int(worker[-1]) + 1, int(model.max()) + 1, 1)
    table = means.tabulate(worker, model, np.zeros_like(worker), score, shape)
    return stopping.compared(table, 0, first, second).z


def rules() -> dict[str, Limits]:
    planned: dict[str, Limits] = {
        rule.value: lambda shares, alpha, rule=rule: stopping.limits(rule, shares, alpha) for rule in Rule
    }
    return {PEEKING: lambda shares, alpha: np.full(len(shares), 1.96)} | planned


def outcome(seen: Seen, bounds: Floats, question: Question, models: int) -> tuple[Integers, int]:
    """What is decided of each pair in the end, and the look at which the study stopped (K where none did)."""
    first, second = pairs(models)
    looks: list[Integers] = []
    for place, bound in enumerate(bounds):
        looks.append(stopping.passed(seen.z[place], float(bound)))
        decided = stopping.decided_by(question, looks)
        if stopping.is_answered(question, first, second, decided, models):
            return decided, place + 1
    return stopping.decided_by(question, looks), len(bounds)


def lines(models: int, replicates: int, seed: int) -> Iterator[str]:
    """A row a rule: wrong answers to both questions without a difference; the best found, and when, with one."""
    shares, first_second = stopping.even_shares(LOOKS), pairs(models)
    equal, ahead = np.zeros(models), np.array([0.0] * (models - 1) + [AHEAD])
    two = np.array([-FAR] * (models - 2) + [0.0, 0.0])

    def studies(betas: Floats, kind: int) -> list[Seen]:
        return [study(betas, np.random.default_rng([seed, models, kind, each])) for each in range(replicates)]

    without, there = studies(equal, 0), studies(ahead, 1)
    tied = without if models == 2 else studies(two, 2)
    for name, limits in rules().items():
        best = limits(shares, stopping.error_of_a_pair(Question.BEST, models))
        every = limits(shares, stopping.error_of_a_pair(Question.ALL_PAIRS, models))
        called = [
            stopping.leader(*first_second, outcome(each, best, Question.BEST, models)[0], models) is not None
            for each in tied
        ]
        # No pair stops the study but all of them do: every pair is tested at every look.
        apart = [outcome(each, every, Question.ALL_PAIRS, models)[0].any() for each in without]
        ends = [outcome(each, best, Question.BEST, models) for each in there]
        found = [stopping.leader(*first_second, decided, models) == models - 1 for decided, _ in ends]
        stopped = np.mean([TALKS * look / LOOKS for _, look in ends])
        yield (
            f"| {models} | {name} | {100 * np.mean(called):.1f} | {100 * np.mean(apart):.1f} | "
            f"{100 * np.mean(found):.0f} | {stopped:.0f} |"
        )


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--replicates", type=int, default=2_000)
    options.add_argument("--models", type=int, nargs="+", default=[2, 4])
    options.add_argument("--seed", type=int, default=20_200_401)
    arguments = options.parse_args()
    begun = time.perf_counter()
    print(f"{machine()}; {arguments.replicates} studies a row, {LOOKS} looks, seed {arguments.seed}\n")
    print("| models | limits | a wrong best, % | a wrong pair, % | the best found, % | talks of each |")
    print("|---|---|---|---|---|---|")
    for models in arguments.models:
        for line in lines(models, arguments.replicates, arguments.seed):
            print(line, flush=True)
    print(f"\n{time.perf_counter() - begun:.0f} s")


main()
