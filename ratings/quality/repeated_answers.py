"""How likely a worker gives the same answers again and again, under a rating model with three worker and talk effects.

The score of worker w in talk t of model m on axis a is u_w + b_wa + h_t + e: the worker's leniency, their taste on that
axis, the talk's halo (shared by its axes) and the rest. Given u and b, talks are independent; given h too, so are axes:

    P(answers v in every talk) = E_u,b prod_t E_h prod_a P(v_a | m_t, a, u, b, h)

The halo is integrated on a grid. Over u, b and the answers the mean is taken by importance sampling: they are drawn
as they would be if every talk were of the average model and had no halo, where everything factorises by axes and can be
drawn exactly, and each draw is weighed by how much likelier it really is. Draws come from a scrambled Sobol sequence
with a fixed seed, so that equal questions have equal answers; other seeds move them by two in a hundred at most
(bench/honest_workers.py).

Shapes: W workers, K kinds of talks (a model and the axes rated), A axes, V values, S draws, U and B points of grids.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np
from scipy.special import logsumexp
from scipy.stats import qmc

from ratings.quality.normal_scores import (
    SMALLEST_PROBABILITY,
    Shares,
    answer_probabilities,
    normal_grid,
)
from ratings.quality.study_ratings import UNRATED, Booleans, Floats, Integers, TalkTable

#: Fewer talks show nothing: with one, 5 to 57 of 100 honest workers give one answer on all four axes.
FEWEST_TALKS = 3
NO_PATTERN = -1

SEED = 20200401
DRAWS = 1024
WORKERS_AT_ONCE = 1024


class Reading(StrEnum):
    """The two readings of "the same ratings across all conversations", named as their rules."""

    EVERYWHERE = "same_answer_everywhere"  # one value on all axes of all talks
    EACH_TALK = "same_answers_each_talk"  # on each axis the same value in all talks


def repeated_pattern(talks: TalkTable) -> Integers:
    """(W,): the value that a worker gave everywhere; the number of values where they repeat several; else NO_PATTERN.

    Nobody with fewer than ``FEWEST_TALKS`` talks has a pattern.
    """
    low = np.full((talks.workers, talks.axes), talks.values)
    high = np.full((talks.workers, talks.axes), UNRATED)
    np.minimum.at(low, talks.worker, np.where(talks.rated, talks.answers, talks.values))
    np.maximum.at(high, talks.worker, talks.answers)
    repeated = (talks.talks_of >= FEWEST_TALKS) & (low >= high).all(
        axis=1
    )  # an axis without ratings hinders none
    lowest, highest = low.min(axis=1), high.max(axis=1)
    pattern = np.where(lowest == highest, lowest, talks.values)
    return np.where(repeated, pattern, NO_PATTERN)


@dataclass(frozen=True)
class Kinds:
    """The kinds of talks: ``cuts`` (K, A, V + 1) of their models, and ``rated`` (K, A)."""

    cuts: Floats
    rated: Booleans

    def on(self, axes: Booleans) -> Kinds:
        return Kinds(self.cuts[:, axes], self.rated[:, axes])

    def only(self, kinds: Booleans) -> Kinds:
        return Kinds(self.cuts[kinds], self.rated[kinds])


@dataclass(frozen=True)
class Draws:
    """Workers who repeat themselves: ``effect`` (S, A) is u + b, ``answers`` (S, A); the mean of a quantity times
    exp(``log_weight``) (S,) over draws is its sum over answers and its mean over workers."""

    effect: Floats
    answers: Integers
    log_weight: Floats


def repeat_probabilities(kinds: Kinds, shares: Shares, counts: Integers, reading: Reading) -> Floats:
    """P(the worker answers as ``reading`` says); ``counts`` (W, K) is how many talks of each kind they rated.

    EVERYWHERE: (W, V), that the answer is this value everywhere; the sum is the rule's probability.
    EACH_TALK: (W, V + 1), the same, and last that the answers repeat and are not one value.
    Workers without talks get NaN.
    """
    rows, back = np.unique(counts, axis=0, return_inverse=True)
    columns = kinds.cuts.shape[-1] - 1 + (reading is Reading.EACH_TALK)
    found = np.full((len(rows), columns), np.nan)
    group = np.column_stack([rows.sum(axis=1), (rows > 0) @ kinds.rated])  # talks, and on which axes
    for key in np.unique(group, axis=0):
        same, axes = (group == key).all(axis=1), key[1:].astype(bool)
        if axes.any():
            found[same] = _of_group(kinds.on(axes), shares, rows[same], reading)
    return found[back.ravel()]


def _of_group(kinds: Kinds, shares: Shares, counts: Integers, reading: Reading) -> Floats:
    """The same for workers with equally many talks, on the same axes."""
    used: Booleans = counts.sum(axis=0) > 0
    kinds, counts = kinds.only(used), counts[:, used]
    make = _proposal(kinds, shares, counts)
    values = kinds.cuts.shape[-1] - 1
    each = [_draw(make, value, value + 1) for value in range(values)]
    if reading is Reading.EACH_TALK:
        each.append(_without_one_value(_draw(make, 0, values)))
    return np.column_stack([_mean_over(draws, kinds, shares, counts) for draws in each])


def _without_one_value(draws: Draws) -> Draws:
    one = (draws.answers == draws.answers[:, :1]).all(axis=1)
    return replace(draws, log_weight=np.where(one, -np.inf, draws.log_weight))


def _mean_over(draws: Draws, kinds: Kinds, shares: Shares, counts: Integers) -> Floats:
    talk = _talk_log_probability(kinds, shares, draws)
    found = np.empty(len(counts))
    for start in range(0, len(counts), WORKERS_AT_ONCE):
        some = slice(start, start + WORKERS_AT_ONCE)
        found[some] = np.exp(counts[some] @ talk + draws.log_weight).mean(axis=1)
    return found


def _talk_log_probability(kinds: Kinds, shares: Shares, draws: Draws) -> Floats:
    """(K, S): log E_h prod_a P(answer_a | kind, a, u, b, h)."""
    place, weight = normal_grid(19, reach=4.5)
    halo = np.sqrt(shares.halo) * place
    found = np.empty((len(kinds.cuts), len(draws.answers)))
    for kind, (cuts, rated) in enumerate(zip(kinds.cuts, kinds.rated, strict=True)):
        product = np.ones((len(place), len(draws.answers)))
        for axis in np.nonzero(rated)[0]:
            answer = draws.answers[:, axis]
            ends = np.stack([cuts[axis][answer], cuts[axis][answer + 1]], axis=-1)  # (S, 2)
            known = draws.effect[:, axis] + halo[:, None]
            product *= answer_probabilities(ends, known, shares.known)[..., 0]
        found[kind] = np.log(np.maximum(weight @ product, SMALLEST_PROBABILITY))
    return found


# --- Drawing workers who repeat themselves --------------------------------------------------------------------


@dataclass(frozen=True)
class _Proposal:
    """``worth`` (A, U, B, V): log of the average model's P(value)^talks times P(b); grids as they are drawn from."""

    worth: Floats
    leniency: Floats
    log_leniency: Floats
    taste: Floats
    log_taste: Floats


def _proposal(kinds: Kinds, shares: Shares, counts: Integers) -> _Proposal:
    leniency, leniency_weight = normal_grid(41)
    taste, taste_weight = normal_grid(21, reach=4.0)
    leniency, taste = np.sqrt(shares.leniency) * leniency, np.sqrt(shares.taste) * taste
    known = leniency[:, None] + taste  # (U, B)
    talks = counts.sum(axis=0)
    average: Floats = np.zeros((kinds.rated.shape[1], *known.shape, kinds.cuts.shape[-1] - 1))
    for axis in range(len(average)):
        weight = talks * kinds.rated[:, axis]
        for kind in np.nonzero(weight)[0]:
            given = answer_probabilities(kinds.cuts[kind, axis], known, shares.of_worker)
            average[axis] += weight[kind] / weight.sum() * given
    # Axes that share a halo repeat each other: fewer independent answers than ratings, and more spread draws.
    shared = shares.halo / (shares.halo + shares.rest)
    answers = counts[0].sum() / (1 + (len(average) - 1) * shared)
    worth = answers * np.log(np.maximum(average, SMALLEST_PROBABILITY)) + np.log(taste_weight)[:, None]
    return _Proposal(worth, leniency, np.log(leniency_weight), taste, np.log(taste_weight))


def _draw(make: _Proposal, first: int, end: int) -> Draws:
    """Draw leniency, then each axis's taste and its answer, which is one of ``first`` to ``end`` - 1, together."""
    worth = make.worth[..., first:end]
    axes, points = worth.shape[:2]
    uniform = qmc.Sobol(axes + 1, rng=SEED).random(DRAWS)
    alone = make.log_leniency + logsumexp(worth, axis=(2, 3)).sum(axis=0)  # (U,)
    u, log_chance = _pick(alone[None], np.zeros(DRAWS, dtype=np.int64), uniform[:, 0])
    log_weight = make.log_leniency[u] - log_chance
    effect, answers = np.empty((DRAWS, axes)), np.empty((DRAWS, axes), dtype=np.int64)
    for axis in range(axes):
        state, log_chance = _pick(worth[axis].reshape(points, -1), u, uniform[:, axis + 1])
        b, answers[:, axis] = state // (end - first), first + state % (end - first)
        effect[:, axis] = make.leniency[u] + make.taste[b]
        log_weight += make.log_taste[b] - log_chance
    return Draws(effect, answers, log_weight)


def _pick(log_odds: Floats, row: Integers, uniform: Floats) -> tuple[Integers, Floats]:
    """Draw a column of ``log_odds[row]`` for each entry of ``row``: columns, and the logs of their probabilities."""
    log_chance = log_odds - logsumexp(log_odds, axis=1, keepdims=True)
    steps = np.cumsum(np.exp(log_chance), axis=1)
    # One sorted list of all rows' steps, each row shifted by its number.
    shifted = (steps / steps[:, -1:] + np.arange(len(steps))[:, None]).ravel()
    found = np.searchsorted(shifted, np.minimum(uniform, 1 - 1e-12) + row, side="right")
    column = np.clip(found - row * steps.shape[1], 0, steps.shape[1] - 1)
    return column, log_chance[row, column]
