"""Studies of honest workers, and of others, drawn in plain steps: what the rating model and the rules are tried on.

A rating is 1 plus the number of cuts below beta_model + leniency + own view of the model + halo of the talk + e, with e
of variance 1. Workers' own views of a model are not in the fitted model, on purpose. The spreads are chosen, as the
paper published no raw ratings: one answer everywhere in a single talk comes from 6, 18, 39 and 57 of 100 workers.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ratings.quality.study_ratings import Floats, Integers, StudyRatings

BETAS = np.array([-0.5, -0.35, -0.2, -0.1, 0.0, 0.1, 0.2, 0.35])
MID_SCALE = (-1.3, -0.6, 0.15, 1.0)
CEILING = (-2.2, -1.7, -1.1, -0.35)
OWN_VIEW = 0.2
MODELS, AXES = len(BETAS), 4


@dataclass(frozen=True)
class Scenario:
    """``leniency``, ``taste`` and ``halo`` are standard deviations, in those of a rating's own noise."""

    name: str
    cuts: tuple[float, ...]
    leniency: float
    halo: float
    shift: float = 0.0
    taste: float = 0.0

    def rate(self, worker: Integers, model: Integers, rng: np.random.Generator) -> Integers:
        """Ratings (T, A) of these talks, from 1 to 5."""
        workers = int(worker.max()) + 1
        score = (BETAS + self.shift)[model] + self.leniency * rng.standard_normal(workers)[worker]
        score += OWN_VIEW * rng.standard_normal((workers, MODELS))[worker, model]
        score += self.halo * rng.standard_normal(len(worker))
        taste = self.taste * rng.standard_normal((workers, AXES))[worker]
        each = score[:, None] + taste + rng.standard_normal((len(worker), AXES))
        return 1 + sum((each > cut).astype(np.int64) for cut in self.cuts)


SCENARIOS = (
    Scenario("mid-scale", MID_SCALE, leniency=0.6, halo=0.5),
    Scenario("halo", MID_SCALE, leniency=0.75, halo=1.2),
    Scenario("ceiling", CEILING, leniency=0.6, halo=0.5, shift=0.4),
    Scenario("ceiling + halo", CEILING, leniency=0.75, halo=1.2, shift=1.0),
)


def deal(talks: Integers, rng: np.random.Generator) -> tuple[Integers, Integers]:
    """Worker and model of every talk, (T,) each: ``talks`` (W,) a worker, models balanced and dealt at random."""
    worker = np.repeat(np.arange(len(talks)), talks)
    return worker, rng.permutation(np.arange(len(worker)) % MODELS)


def study_of(worker: Integers, model: Integers, ratings: Integers) -> StudyRatings:
    """Talks' ratings (T, A) as a study."""
    talks, axes = ratings.shape
    return StudyRatings(
        worker=np.repeat(worker, axes),
        talk=np.repeat(np.arange(talks), axes),
        model=np.repeat(model, axes),
        axis=np.tile(np.arange(axes), talks),
        score=ratings.ravel(),
    )


def honest_study(scenario: Scenario, talks: Integers, seed: int) -> StudyRatings:
    rng = np.random.default_rng(seed)
    worker, model = deal(talks, rng)
    return study_of(worker, model, scenario.rate(worker, model, rng))


def paper_load(rng: np.random.Generator, workers: int = 234, talks: int = 800, cap: int = 10) -> Integers:
    """Talks (W,) a worker, unevenly spread as in a crowd and at most ``cap``."""
    appetite = rng.gamma(0.5, size=workers) + 0.02
    load = np.ones(workers, dtype=np.int64)
    while load.sum() < talks:
        free = np.where(load < cap, appetite, 0)
        load += np.minimum(rng.multinomial(talks - load.sum(), free / free.sum()), cap - load)
    return load


def shares_of_one_answer(scenario: Scenario, talks: int, workers: int, seed: int) -> tuple[float, float]:
    """Of simulated workers with so many talks: who gives one value everywhere, and who the same answers each talk."""
    rng = np.random.default_rng(seed)
    worker = np.repeat(np.arange(workers), talks)
    ratings = scenario.rate(worker, rng.integers(MODELS, size=len(worker)), rng).reshape(workers, talks, AXES)
    each_talk = (ratings == ratings[:, :1]).all(axis=(1, 2))
    everywhere = (ratings == ratings[:, :1, :1]).all(axis=(1, 2))
    return float(everywhere.mean()), float(each_talk.mean())


def lognormal_times(worker: Integers, rng: np.random.Generator, between: float, within: float) -> Floats:
    """Seconds of talks around a median of 330."""
    effect = between * rng.standard_normal(int(worker.max()) + 1)
    return 330 * np.exp(effect[worker] + within * rng.standard_normal(len(worker)))
