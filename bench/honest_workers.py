"""How often rules about ratings and times flag honest workers, and how well that is foretold.

    .venv/bin/python bench/honest_workers.py [--only null false ...] [--seeds 20] [--workers 1000000]

Everything is drawn from seeds: the same options give the same figures, but for the seconds of the last table.
``--workers`` is how many are simulated for each cell of the first table.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from pathlib import Path

import numpy as np
from machine import machine
from scipy.stats import binomtest

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from ratings.quality import repeated_answers
from ratings.quality.honest import HonestModel, fit_honest_model, fitted_to
from ratings.quality.pace import expected_hurried, hurried, short_talks
from ratings.quality.random_rating import likeness
from ratings.quality.repeated_answers import Reading
from ratings.quality.straight_lining import straight_liners
from ratings.quality.study_ratings import Floats, Integers, StudyRatings
from tests.ratings.honest_workers import (
    AXES,
    MODELS,
    SCENARIOS,
    Scenario,
    deal,
    honest_study,
    lognormal_times,
    paper_load,
    shares_of_one_answer,
    study_of,
)

options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
options.add_argument("--only", nargs="+", choices=["null", "false", "true", "among", "exact", "speed"])
options.add_argument("--seeds", type=int, default=20)
options.add_argument("--workers", type=int, default=1_000_000)
arguments = options.parse_args()

TALKS = (1, 2, 3, 10)
#: Shares of straight-liners in a study.
AMONG = (0.0, 0.05, 0.2)
PIECE = 50_000
#: Spreads of log seconds between workers and between a worker's talks.
BETWEEN, WITHIN = 0.30, 0.29


def table(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    print(f"\n{title}\n\n| " + " | ".join(columns) + " |\n|" + "---|" * len(columns))
    for row in rows:
        print("| " + " | ".join(row) + " |", flush=True)


def percent(share: float) -> str:
    return f"{100 * share:.2g}" if share < 0.1 else f"{100 * share:.0f}"


# --- One answer everywhere, and the same answers each talk --------------------------------------------------------


def simulated(scenario: Scenario, talks: int) -> tuple[int, int]:
    """Of ``--workers`` simulated ones: who gave one answer everywhere, and who the same answers each talk."""
    found = np.zeros(2)
    for seed in range(arguments.workers // PIECE):
        found += np.array(shares_of_one_answer(scenario, talks, PIECE, seed)) * PIECE
    return round(found[0]), round(found[1])


def foretold(model: HonestModel, talks: int, reading: Reading) -> float:
    """The mean of the model's probabilities over 1,000 workers who drew their models."""
    rng = np.random.default_rng(1)
    worker, dealt = np.repeat(np.arange(1000), talks), rng.integers(MODELS, size=1000 * talks)
    study = study_of(worker, dealt, np.ones((len(worker), AXES), dtype=np.int64))
    return float(model.null_probabilities(study.talks, reading).mean())


def small_fits(scenario: Scenario) -> list[HonestModel]:
    loads = [paper_load(np.random.default_rng(seed)) for seed in range(arguments.seeds)]
    return [fit_honest_model(honest_study(scenario, load, seed)) for seed, load in enumerate(loads)]


def null_rows(scenario: Scenario) -> Iterator[list[str]]:
    large = fit_honest_model(honest_study(scenario, np.full(25_000, 4), seed=99))
    small = small_fits(scenario)
    for talks in TALKS:
        for reading, seen in zip(Reading, simulated(scenario, talks), strict=True):
            if reading is Reading.EACH_TALK and talks == 1:
                continue
            whole = arguments.workers // PIECE * PIECE
            interval = binomtest(seen, whole).proportion_ci(0.95, method="wilson")
            several = sorted(foretold(model, talks, reading) for model in small)
            middle = several[len(several) // 10], float(np.median(several)), several[-1 - len(several) // 10]
            yield [
                scenario.name,
                reading.value,
                str(talks),
                f"{percent(seen / whole)} ({percent(interval.low)}–{percent(interval.high)})",
                percent(foretold(large, talks, reading)),
                " / ".join(map(percent, middle)),
            ]


# --- False and true flags -----------------------------------------------------------------------------------------

Flags = dict[str, set[int]]


def flags_of(study: StudyRatings, seconds: Floats, model: HonestModel) -> Flags:
    """Who is flagged, by rule; those about random ratings only look at three talks or more."""
    talks = study.talks
    found: Flags = {rule.value: workers(straight_liners(study, model, rule)) for rule in Reading}
    found["one answer, any talks"] = one_answer(study, 1)
    found["one answer, two talks or more"] = one_answer(study, 2)
    found["hurried"] = workers(hurried(talks.worker, seconds))
    found["a talk below 120 s"] = workers(short_talks(talks.worker, seconds))
    alike = likeness(study, model)
    found["correlation below 0"] = {each.worker for each in alike if each.correlation < 0}
    found["agreement at .01"] = {each.worker for each in alike if each.agreement_null <= 0.01}
    found["misfit at .01"] = {each.worker for each in alike if each.misfit_null <= 0.01}
    return found


def workers(flags: Sequence) -> set[int]:
    return {flag.worker for flag in flags}


def one_answer(study: StudyRatings, fewest: int) -> set[int]:
    talks = study.talks
    low, high = np.full(talks.workers, 9), np.zeros(talks.workers, dtype=int)
    np.minimum.at(low, talks.worker, talks.answers.min(axis=1))
    np.maximum.at(high, talks.worker, talks.answers.max(axis=1))
    return set(np.nonzero((low == high) & (talks.talks_of >= fewest))[0].tolist())


FEWEST = {
    "one answer, any talks": 1,
    "one answer, two talks or more": 2,
    "hurried": 1,
    "a talk below 120 s": 1,
}
KINDS = ("one value", "one pattern", "fast", "random", "random and fast")


def false_flags(scenario: Scenario) -> dict[str, str]:
    """By rule: of 100 honest workers whom it judges, how many it flags; in brackets how many were foretold."""
    flagged, judged, expected = Counter[str](), Counter[str](), Counter[str]()
    for seed in range(arguments.seeds):
        rng = np.random.default_rng(1000 + seed)
        load = paper_load(rng)
        study = honest_study(scenario, load, seed)
        seconds = lognormal_times(study.talks.worker, rng, BETWEEN, WITHIN)
        model = fit_honest_model(study)
        for rule, found in flags_of(study, seconds, model).items():
            flagged[rule] += len(found)
            judged[rule] += int((load >= FEWEST.get(rule, 3)).sum())
        for reading in Reading:
            expected[reading.value] += model.expected_false_flags(study.talks, reading)
        expected["hurried"] += expected_hurried(study.talks.worker, seconds)
    return {
        rule: percent(flagged[rule] / judged[rule])
        + (f" ({percent(expected[rule] / judged[rule])})" if rule in expected else "")
        for rule in flagged
    }


def false_rows() -> Iterator[list[str]]:
    columns = [false_flags(scenario) for scenario in SCENARIOS]
    for rule in columns[0]:
        yield [rule, *(column[rule] for column in columns)]


def with_bad(scenario: Scenario, seed: int) -> tuple[StudyRatings, Floats, dict[str, Integers]]:
    """A study of the paper's size in which two workers of each bad kind have three talks or more."""
    rng = np.random.default_rng(2000 + seed)
    load = paper_load(rng)
    worker, model = deal(load, rng)
    ratings, seconds = scenario.rate(worker, model, rng), lognormal_times(worker, rng, BETWEEN, WITHIN)
    chosen = rng.permutation(np.nonzero(load >= 3)[0])[: 2 * len(KINDS)].reshape(len(KINDS), 2)
    kinds = dict(zip(KINDS, chosen, strict=True))
    for bad in kinds["one value"]:
        ratings[worker == bad] = rng.integers(1, 6)
    for bad in kinds["one pattern"]:
        ratings[worker == bad] = rng.permutation([2, 3, 4, 5])
    for kind in ("random", "random and fast"):
        theirs = np.isin(worker, kinds[kind])
        ratings[theirs] = rng.integers(1, 6, size=(theirs.sum(), AXES))
    seconds[np.isin(worker, np.concatenate([kinds["fast"], kinds["random and fast"]]))] /= 6
    return study_of(worker, model, ratings), seconds, kinds


def true_rows() -> Iterator[list[str]]:
    for scenario in (SCENARIOS[0], SCENARIOS[2]):
        found: dict[str, Counter[str]] = {}
        for seed in range(arguments.seeds):
            study, seconds, kinds = with_bad(scenario, seed)
            for rule, flagged in flags_of(study, seconds, fit_honest_model(study)).items():
                for kind, bad in kinds.items():
                    found.setdefault(rule, Counter())[kind] += len(flagged & set(bad.tolist()))
        for rule, counts in found.items():
            yield [scenario.name, rule, *(percent(counts[kind] / (2 * arguments.seeds)) for kind in KINDS)]


def among_rows() -> Iterator[list[str]]:
    """What straight-liners with any value do to the probabilities by which they are judged."""
    for scenario in SCENARIOS:
        row = [scenario.name]
        for share in AMONG:
            fits, kept = [], []
            for seed in range(arguments.seeds):
                rng = np.random.default_rng(3000 + seed)
                worker, model = deal(np.full(234, 4), rng)
                ratings, bad = scenario.rate(worker, model, rng), rng.random(234) < share
                value = rng.integers(1, 6, size=234)[worker][:, None]
                study = study_of(worker, model, np.where(bad[worker][:, None], value, ratings))
                fits.append(fit_honest_model(study).same_answers([0, 2, 4, 6]))
                kept.append(fitted_to(study.talks).same_answers([0, 2, 4, 6]))
            row.append(f"{percent(float(np.mean(fits)))} ({percent(float(np.mean(kept)))})")
        yield row


# --- How exact, and how fast --------------------------------------------------------------------------------------


def exactness_rows() -> Iterator[list[str]]:
    """The spread of the probabilities over other seeds of their own draws."""
    models = [fit_honest_model(honest_study(scenario, np.full(500, 4), seed=1)) for scenario in SCENARIOS]
    kept = repeated_answers.SEED
    for talks in (2, 3, 5, 10, 30):
        row = [str(talks)]
        for reading in Reading:
            spread = 0.0
            for model in models:
                several = []
                for repeated_answers.SEED in range(10):
                    several.append(model.same_answers([each % MODELS for each in range(talks)], reading))
                spread = max(spread, float(np.std(several) / np.mean(several)))
            row.append(f"{100 * spread:.1f} %")
        repeated_answers.SEED = kept
        yield row


def timed(work: Callable[[], object]) -> str:
    start = time.process_time()
    work()
    return f"{time.process_time() - start:.1f}"


def speed_rows() -> Iterator[list[str]]:
    for crowd in (234, 25_000):
        rng = np.random.default_rng(0)
        load = paper_load(rng, crowd, talks=crowd * 4)
        study = honest_study(SCENARIOS[0], load, seed=0)
        seconds = lognormal_times(study.talks.worker, rng, BETWEEN, WITHIN)
        model = fit_honest_model(study)
        yield [
            f"{crowd:,}",
            f"{len(study.score):,}",
            timed(lambda study=study: fit_honest_model(study)),
            *(
                timed(lambda rule=rule, study=study, model=model: model.null_probabilities(study.talks, rule))
                for rule in Reading
            ),
            timed(lambda study=study, seconds=seconds: hurried(study.talks.worker, seconds)),
            timed(lambda study=study, model=model: likeness(study, model)),
        ]


Table = tuple[str, Sequence[str], Callable[[], Iterator[list[str]]]]
NULL_COLUMNS = [
    "scenario",
    "rule",
    "talks",
    f"simulated, {arguments.workers:,} (95 %)",
    "fitted, 25,000 workers",
    f"fitted, {arguments.seeds} studies of 234: 10th, 50th, 90th percentile",
]
TABLES: dict[str, Table] = {
    "null": (
        "Of 100 honest workers who would be flagged",
        NULL_COLUMNS,
        lambda: chain.from_iterable(map(null_rows, SCENARIOS)),
    ),
    "false": (
        f"False flags of 100 judged workers (foretold), in {arguments.seeds} honest studies of the paper's size",
        ["rule", *(scenario.name for scenario in SCENARIOS)],
        false_rows,
    ),
    "true": (
        "Found, of 100 planted workers with three talks or more",
        ["scenario", "rule", *KINDS],
        true_rows,
    ),
    "among": (
        f"One answer over four talks, of 100: mean of {arguments.seeds} studies of 234 with straight-liners among them",
        ["scenario", *(f"{100 * share:.0f} %: fitted (all kept)" for share in AMONG)],
        among_rows,
    ),
    "exact": (
        "Spread over seeds of the draws, the worst of four scenarios",
        ["talks", *Reading],
        exactness_rows,
    ),
    "speed": (
        "Processor seconds",
        ["workers", "ratings", "fit", *(f"null, {rule}" for rule in Reading), "hurried", "unlike others"],
        speed_rows,
    ),
}

print(machine())
for name in arguments.only or TABLES:
    title, columns, rows = TABLES[name]
    table(title, columns, list(rows()))
