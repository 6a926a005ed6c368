"""Who rates unlike the others: signals to look at, which must never exclude.

Two of them, each with how likely an honest worker would be so far out under the study's own rating model:

- agreement: the correlation of a worker's ratings with the others' means of the same models and axes;
- misfit: how much the ratings scatter about what is expected of them, in standard deviations and after the worker's own
  leniency is taken off; the mean square of Rasch models (Wright and Masters 1982) for a worker.

Why they must not exclude: models differ by less than honest workers do, so that a few talks of an honest worker
correlate with the means hardly better than random ones. In the simulations of docs/quality.md a rule such as
"correlation below 0" flags 27 to 36 of 100 honest workers and half of the random ones. The probabilities here keep the
honest ones to about one in a hundred at .01, and then find fewer than one random rater in five; and they hold for
workers who differ as the rating model says. Who has views of their own is as far out, and excluding them would make
results look more agreed upon than they are.

Shapes: W workers, T talks, A axes, M models, V values.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ratings.quality.honest import HonestModel
from ratings.quality.repeated_answers import FEWEST_TALKS
from ratings.quality.study_ratings import Booleans, Floats, Integers, StudyRatings, TalkTable

SEED = 20200401
FIRST, MORE, NEAR = 99, 900, 0.1


@dataclass(frozen=True, slots=True)
class Likeness:
    """How like the others' a worker's ratings are.

    ``correlation`` is NaN where all ratings, or all means, are alike; its probability is then 1. ``agreement_null`` is
    P(an honest worker correlates as little), ``misfit_null`` P(an honest worker scatters as much).
    """

    worker: int
    talks: int
    correlation: float
    agreement_null: float
    misfit: float
    misfit_null: float


def likeness(study: StudyRatings, model: HonestModel) -> list[Likeness]:
    """Everybody with at least ``FEWEST_TALKS`` talks, by number; the same ratings give the same probabilities.

    ``FIRST`` simulations for all, ``MORE`` for those who are then within ``NEAR``: no probability is below 1 / 1000.
    Ten seconds for 400,000 ratings.
    """
    talks, others = study.talks, others_means(study.talks)
    judged = talks.talks_of >= FEWEST_TALKS
    rng = np.random.default_rng(SEED)
    compared = _Compared(talks, others, model, judged)
    compared.simulate(FIRST, judged, rng)
    compared.simulate(MORE, judged & (compared.nulls().min(axis=0) <= NEAR), rng)
    agreement_null, misfit_null = compared.nulls()
    return [
        Likeness(
            worker=int(worker),
            talks=int(talks.talks_of[worker]),
            correlation=float(compared.correlation[worker]),
            agreement_null=float(agreement_null[worker]),
            misfit=float(compared.misfit[worker]),
            misfit_null=float(misfit_null[worker]),
        )
        for worker in np.nonzero(judged)[0]
    ]


def others_means(talks: TalkTable) -> Floats:
    """(T, A): what all other workers gave this talk's model on this axis, on average; NaN where there are none."""
    shape = (talks.workers, talks.models, talks.axes)
    count, total = np.zeros(shape), np.zeros(shape)
    np.add.at(count, (talks.worker, talks.model), talks.rated)
    np.add.at(total, (talks.worker, talks.model), np.where(talks.rated, talks.answers, 0))
    with np.errstate(invalid="ignore"):
        mean = (total.sum(axis=0) - total) / (count.sum(axis=0) - count)
    return np.where(talks.rated, mean[talks.worker, talks.model], np.nan)


class _Compared:
    """What workers measure, and how often simulated honest workers with the same talks are as far out."""

    def __init__(self, talks: TalkTable, others: Floats, model: HonestModel, judged: Booleans) -> None:
        self.talks, self.others, self.model = talks, others, model
        self.correlation, self.misfit = self._measure(judged).of(talks.of(judged).answers)
        self.simulations = np.zeros(talks.workers)
        self.as_far = np.zeros((2, talks.workers))

    def _measure(self, workers: Booleans) -> _Measure:
        return _Measure(self.talks.of(workers), self.others[workers[self.talks.worker]], self.model)

    def simulate(self, times: int, workers: Booleans, rng: np.random.Generator) -> None:
        """Count for ``workers`` (W,) how often they would be as far out by chance."""
        measure, talks = self._measure(workers), self.talks.of(workers)
        for _ in range(times):
            correlation, misfit = measure.of(self.model.simulate(talks, rng))
            # Who has no correlation is as far out as anybody: no reason to look.
            as_far = np.stack([~(correlation > self.correlation), ~(misfit < self.misfit)])
            self.as_far += as_far & workers
        self.simulations += times * workers

    def nulls(self) -> Floats:
        """(2, W): P(so little agreement) and P(so much misfit) of an honest worker."""
        found: Floats = (self.as_far + 1) / (self.simulations + 1)
        return found


class _Measure:
    """Correlation and misfit of every worker at once, for these talks; what does not depend on answers, once."""

    def __init__(self, talks: TalkTable, others: Floats, model: HonestModel) -> None:
        self.talk, self.axis = np.nonzero(talks.rated & np.isfinite(others))
        self.worker = talks.worker[self.talk]
        self.workers = talks.workers
        self.ratings = self._sum(np.ones(len(self.talk)))
        self.others = self._centred(others[self.talk, self.axis])
        self.spread = self._sum(self.others**2)
        probability = model.probabilities()[talks.model[self.talk], self.axis]
        values = np.arange(probability.shape[-1])
        self.expected = probability @ values
        self.sd = np.sqrt(np.maximum(probability @ values**2 - self.expected**2, 1e-12))

    def of(self, answers: Integers) -> tuple[Floats, Floats]:
        """Answers (T, A) -> correlation and misfit, each (W,)."""
        given = answers[self.talk, self.axis].astype(float)
        centred = self._centred(given)
        residual = self._centred((given - self.expected) / self.sd)
        with np.errstate(invalid="ignore", divide="ignore"):
            scale = np.sqrt(self._sum(centred**2) * self.spread)
            correlation = np.where(scale > 1e-9, self._sum(centred * self.others) / scale, np.nan)
            misfit = self._sum(residual**2) / (self.ratings - 1)
        return correlation, misfit

    def _sum(self, values: Floats) -> Floats:
        return np.bincount(self.worker, weights=values, minlength=self.workers).astype(float)

    def _centred(self, values: Floats) -> Floats:
        """Each value less its worker's mean."""
        mean = self._sum(values) / np.maximum(self.ratings, 1)
        return values - mean[self.worker]
