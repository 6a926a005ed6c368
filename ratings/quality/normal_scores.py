"""What an ordered probit model needs of the normal distribution: cuts, grids, and how answers go together.

A rating is the number of cuts below a normal score of mean 0 and variance 1 (McKelvey and Zavoina 1975). Two ratings go
together because their scores share a part of their variance, ``share``. Shapes: C cells (a model on an axis), V values.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import ndtr, ndtri

from ratings.quality.study_ratings import Booleans, Floats

#: No share of variance is taken to be larger: above it the scores of two ratings could not be told apart.
LARGEST_SHARE = 0.95
SMALLEST_PROBABILITY = 1e-300


@dataclass(frozen=True, slots=True)
class Shares:
    """What a score of variance 1 is made of: the worker's leniency, their taste on an axis, the talk's halo; shares."""

    leniency: float
    taste: float
    halo: float

    @property
    def of_worker(self) -> float:
        return self.leniency + self.taste

    @property
    def known(self) -> float:
        return self.leniency + self.taste + self.halo

    @property
    def rest(self) -> float:
        return 1 - self.known


def normal_grid(points: int, reach: float = 6.0) -> tuple[Floats, Floats]:
    """Even points from -``reach`` to ``reach`` and their normal weights, which sum to 1.

    The trapezoid rule: for smooth functions as exact as Gauss and Hermite's, and its points lie as close in the tails,
    which is where workers live who give one answer many times.
    """
    place = np.linspace(-reach, reach, points)
    weight = np.exp(-(place**2) / 2)
    return place, weight / weight.sum()


def cuts_of(probability: Floats) -> Floats:
    """(..., V) probabilities -> (..., V + 1) cuts of a standard normal score, from -inf to inf."""
    below = np.cumsum(probability, axis=-1)[..., :-1]
    ends = np.full((*probability.shape[:-1], 1), np.inf)
    return np.concatenate([-ends, ndtri(np.clip(below, 0, 1)), ends], axis=-1)


def answer_probabilities(cuts: Floats, known: Floats, share: float) -> Floats:
    """P(each value), given the part of the score that is known.

    ``cuts`` (..., V + 1); ``known`` broadcasts against (...,) and is part of a score of variance 1; ``share`` is how
    much of that variance the known parts have. Returns (..., V).
    """
    below = ndtr((cuts - known[..., None]) / np.sqrt(1 - share))
    return np.diff(below, axis=-1)


def pair_probabilities(cuts: Floats, share: float) -> Floats:
    """(C, V + 1) cuts -> (C V, C V): P(one rating has this value and another that), where they share ``share``."""
    place, weight = normal_grid(61)
    given = answer_probabilities(cuts[None], np.sqrt(share) * place[:, None], share)  # (points, C, V)
    flat = given.reshape(len(place), -1)
    return (flat * weight[:, None]).T @ flat


def fitted_share(cuts: Floats, pairs: Floats, kinds: Booleans) -> float:
    """The share of variance under which these pairs of ratings are most likely; 0 without any, and never below.

    ``pairs`` (C V, C V) counts pairs by their two cells and values, and ``kinds`` (C, C) says which pairs of cells to
    look at. The maximum of the pairwise likelihood (Olsson 1979, for given cuts): unlike correlations of the ratings
    it does not shrink where most ratings are at an end of the scale.
    """
    values = cuts.shape[-1] - 1
    counted = np.where(np.kron(kinds, np.ones((values, values), dtype=bool)), pairs, 0.0)
    seen = np.nonzero(counted)
    if not seen[0].size:
        return 0.0

    def unlikely(share: float) -> float:
        probability = pair_probabilities(cuts, share)[seen]
        return -float(counted[seen] @ np.log(np.maximum(probability, SMALLEST_PROBABILITY)))

    best = minimize_scalar(unlikely, bounds=(0.0, LARGEST_SHARE), method="bounded", options={"xatol": 1e-4})
    return 0.0 if unlikely(0.0) <= best.fun else float(best.x)
