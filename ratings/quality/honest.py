"""A model of honest ratings, fitted to one study, and how likely honest workers are to look as if they were not.

An ordered probit: the score of worker w in talk t of model m on axis a is u_w + b_wa + h_t + e with variance 1, and
the rating is the number of cuts of (m, a) below it. u is the worker's leniency, b their taste on an axis, h the halo
that the axes of one talk share. Fitted in two steps (Olsson 1979):

1. cuts from how often each value is given, for each (m, a); small cells lean on their axis;
2. shares of variance from pairs of ratings by pairwise likelihood: pairs within a talk share leniency and halo, pairs
   of one worker's talks leniency, and on one axis also taste.

Pairs are counted once for all workers, so that a million ratings take seconds; the full likelihood would need an
integral a worker. Correlations of the ratings themselves would do as little work, but shrink where most ratings lie at
an end of the scale, and there honest workers repeat themselves most.

Workers who give the same answers in every talk would raise the shares, and with them the probabilities by which they
are judged. So the model is first fitted without all who do, over at least ``FEWEST_TALKS`` talks; then those come back
whose very answers it finds plausible (probability of at least ``PLAUSIBLE``), and it is fitted again, until nobody
comes or goes. Where most ratings lie at one end, nothing tells a straight-liner at that end from an honest worker.

Shapes: M models, A axes, V values, T talks, W workers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from scipy import sparse
from scipy.special import ndtr

from ratings.quality.normal_scores import LARGEST_SHARE, Shares, cuts_of, fitted_share
from ratings.quality.repeated_answers import (
    FEWEST_TALKS,
    NO_PATTERN,
    Kinds,
    Reading,
    repeat_probabilities,
    repeated_pattern,
)
from ratings.quality.study_ratings import UNRATED, Booleans, Floats, Integers, StudyRatings, TalkTable

#: Whose repeated answers the model finds less likely than this is left out of the fit.
PLAUSIBLE = 1e-3
MOST_ROUNDS = 6
#: How many ratings the axis counts for in the cell of a model on it.
WEIGHT_OF_AXIS = 5.0


@dataclass(frozen=True)
class HonestModel:
    """How honest workers of one study rate: ``cuts`` (M, A, V + 1) and the shares of variance.

    ``left_out`` are the workers without whom it was fitted.
    """

    cuts: Floats
    shares: Shares
    left_out: Integers = field(default_factory=lambda: np.zeros(0, dtype=np.int64))

    def same_answers(self, models: Sequence[int], reading: Reading = Reading.EVERYWHERE) -> float:
        """P(an honest worker gives the same answers), for one talk with each of ``models``, rated on all axes."""
        counts = np.bincount(np.asarray(models, dtype=np.int64), minlength=len(self.cuts))
        if len(counts) > len(self.cuts):
            raise ValueError(f"model {max(models)}; the study has models 0 to {len(self.cuts) - 1}")
        kinds = Kinds(self.cuts, np.ones(self.cuts.shape[:2], dtype=bool))
        return float(repeat_probabilities(kinds, self.shares, counts[None], reading).sum())

    def answer_patterns(self, talks: TalkTable, reading: Reading) -> Floats:
        """(W, V), for the models and axes that each worker rated: P(this value everywhere).

        With EACH_TALK (W, V + 1): last P(the answers repeat, and are not one value). NaN for workers without talks.
        """
        key = np.column_stack([talks.model, talks.rated])
        kinds, kind = np.unique(key, axis=0, return_inverse=True)
        counts = np.zeros((talks.workers, len(kinds)), dtype=np.int64)
        np.add.at(counts, (talks.worker, kind.ravel()), 1)
        rated = kinds[:, 1:].astype(bool)
        return repeat_probabilities(Kinds(self.cuts[kinds[:, 0]], rated), self.shares, counts, reading)

    def null_probabilities(self, talks: TalkTable, reading: Reading) -> Floats:
        """(W,): P(an honest worker with these talks would be flagged); NaN for workers without talks."""
        return np.minimum(self.answer_patterns(talks, reading).sum(axis=1), 1.0)

    def expected_false_flags(self, talks: TalkTable, reading: Reading) -> float:
        """How many would be flagged if all were honest: the sum over those with enough talks to be judged."""
        judged = talks.of(talks.talks_of >= FEWEST_TALKS)
        return float(np.nansum(self.null_probabilities(judged, reading)))

    def probabilities(self) -> Floats:
        """(M, A, V): how often each value is given."""
        from_cuts: Floats = np.diff(ndtr(self.cuts), axis=-1)
        return from_cuts

    def simulate(self, talks: TalkTable, rng: np.random.Generator) -> Integers:
        """Answers (T, A) that honest workers could have given in these talks, from 0; UNRATED stays."""
        shares = self.shares
        score = np.sqrt(shares.leniency) * rng.standard_normal(talks.workers)[talks.worker][:, None]
        score = score + np.sqrt(shares.taste) * rng.standard_normal((talks.workers, talks.axes))[talks.worker]
        score += np.sqrt(shares.halo) * rng.standard_normal(len(talks.worker))[:, None]
        score += np.sqrt(shares.rest) * rng.standard_normal(score.shape)
        answers = (score[..., None] > self.cuts[talks.model][..., 1:-1]).sum(axis=-1)
        return np.where(talks.rated, answers, UNRATED)


def fit_honest_model(study: StudyRatings) -> HonestModel:
    """The model of this study's honest workers; seconds for a million ratings.

    Raises ValueError without ratings.
    """
    talks = study.talks
    if not len(talks.worker):
        raise ValueError("no ratings; fit the model once some talks are rated")
    pattern = repeated_pattern(talks)
    out = pattern != NO_PATTERN
    for _ in range(MOST_ROUNDS):
        kept = talks.of(~out)
        model = fitted_to(kept if len(kept.worker) else talks)
        before, out = out, _implausible(model, talks, pattern)
        if (before == out).all():
            break
    return replace(model, left_out=np.nonzero(before)[0])


def _implausible(model: HonestModel, talks: TalkTable, pattern: Integers) -> Booleans:
    """(W,): who repeats themselves in a way too unlikely for an honest worker to be fitted."""
    repeating = pattern != NO_PATTERN
    chance = model.answer_patterns(talks.of(repeating), Reading.EACH_TALK)
    own = np.take_along_axis(chance, np.maximum(pattern, 0)[:, None], axis=1)[:, 0]
    return repeating & (own < PLAUSIBLE)


# --- Fitting --------------------------------------------------------------------------------------------------


def fitted_to(talks: TalkTable) -> HonestModel:
    """The model of these talks, whoever rated them."""
    shape = (talks.models, talks.axes, talks.values)
    answered = _answered(talks, shape)
    counts = np.asarray(answered.sum(axis=0)).reshape(shape)
    cuts = cuts_of(smoothed(counts))
    within, across = _pairs(talks, answered)
    flat = cuts.reshape(-1, shape[2] + 1)
    axis = np.tile(np.arange(shape[1]), shape[0])
    same_axis = axis[:, None] == axis
    if shape[1] == 1:  # with one axis, leniency and taste are one
        return HonestModel(cuts, Shares(fitted_share(flat, across, same_axis), 0.0, 0.0))
    leniency = fitted_share(flat, across, ~same_axis)
    with_taste = fitted_share(flat, across, same_axis)
    with_halo = fitted_share(flat, within, ~same_axis)
    shares = np.array([leniency, max(with_taste - leniency, 0), max(with_halo - leniency, 0)])
    shares *= min(1, LARGEST_SHARE / max(shares.sum(), LARGEST_SHARE))
    return HonestModel(cuts, Shares(*map(float, shares)))


def smoothed(counts: Floats) -> Floats:
    """(M, A, V) counts -> probabilities: each cell leans on its axis, and each axis a little on even odds."""
    axis = counts.sum(axis=0) + 1
    axis = axis / axis.sum(axis=-1, keepdims=True)
    total = counts.sum(axis=-1, keepdims=True) + WEIGHT_OF_AXIS
    probability: Floats = (counts + WEIGHT_OF_AXIS * axis) / total
    return probability


def _answered(talks: TalkTable, shape: tuple[int, int, int]) -> sparse.csr_array:
    """(T, M A V): 1 where the talk was of this model and answered so on this axis."""
    row, axis = np.nonzero(talks.rated)
    column = np.ravel_multi_index((talks.model[row], axis, talks.answers[row, axis]), shape)
    size = (len(talks.worker), int(np.prod(shape)))
    return sparse.csr_array((np.ones(len(row)), (row, column)), shape=size)


def _pairs(talks: TalkTable, answered: sparse.csr_array) -> tuple[Floats, Floats]:
    """(M A V, M A V) each: how often two answers were given in one talk, and in two talks of one worker.

    Two talks of a worker with k of them weigh 1 / (k - 1), so that every talk weighs the same.
    """
    within = answered.T @ answered
    each = talks.talks_of[talks.worker]
    weight = np.where(each > 1, 1 / np.maximum(each - 1, 1), 0.0)
    size = (talks.workers, len(talks.worker))
    of_worker = sparse.csr_array((np.sqrt(weight), (talks.worker, np.arange(size[1]))), shape=size) @ answered
    across = of_worker.T @ of_worker - answered.T @ (sparse.diags_array(weight) @ answered)
    return within.toarray(), np.maximum(across.toarray(), 0.0)
