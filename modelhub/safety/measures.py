"""How good a classifier is, with intervals. numpy and scipy only."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit, ndtri
from scipy.stats import rankdata

Floats = NDArray[np.float64]
Booleans = NDArray[np.bool_]

LEVEL = 0.95


@dataclass(frozen=True, slots=True)
class Interval:
    """A value from 0 to 1 with the ends of its interval; NaN where there is none."""

    value: float
    lower: float
    upper: float


NOTHING = Interval(math.nan, math.nan, math.nan)


def wilson(count: int, total: int, level: float = LEVEL) -> Interval:
    """A share's score interval (Wilson 1927); of nothing there is none."""
    if not total:
        return NOTHING
    z = float(ndtri((1 + level) / 2))
    share, weight = count / total, z * z / total
    middle = (share + weight / 2) / (1 + weight)
    half = z * math.sqrt(share * (1 - share) / total + weight / total / 4) / (1 + weight)
    return Interval(share, max(0.0, middle - half), min(1.0, middle + half))


def f1(found: Booleans, labels: Booleans, level: float = LEVEL) -> Interval:
    """F1 = 2 J / (1 + J), where J is the share of rightly found among all that are found, unsafe, or both.

    J is a plain share (Hand, Christen and Kirielle 2021), so the ends of its Wilson interval give F1's.
    """
    share = wilson(int((found & labels).sum()), int((found | labels).sum()), level)
    value, lower, upper = (2 * end / (1 + end) for end in (share.value, share.lower, share.upper))
    return Interval(value, lower, upper)


def auc(scores: Floats, labels: Booleans, level: float = LEVEL) -> Interval:
    """How often an unsafe utterance scores above a safe one; ties count half.

    The variance is DeLong, DeLong and Clarke-Pearson's (1988), the interval symmetric in log-odds, so that it stays
    within 0 and 1. Without variance, as where the two are parted wholly, there is none.
    """
    unsafe, safe = scores[labels], scores[~labels]
    if min(len(unsafe), len(safe)) < 2:
        return NOTHING
    above = (_ranks_among(unsafe, safe)) / len(safe)  # (unsafe,): the share of safe ones below each
    below = 1 - _ranks_among(safe, unsafe) / len(unsafe)  # (safe,): the share of unsafe ones above each
    value = float(above.mean())
    error = math.sqrt(above.var(ddof=1) / len(unsafe) + below.var(ddof=1) / len(safe))
    if not error or value in (0.0, 1.0):
        return Interval(value, math.nan, math.nan)
    half = float(ndtri((1 + level) / 2)) * error / (value * (1 - value))
    lower, upper = expit(logit(value) + np.array([-half, half]))
    return Interval(value, float(lower), float(upper))


def _ranks_among(scores: Floats, others: Floats) -> Floats:
    """(N,): how many of the others each score is above, ties by half."""
    return rankdata(np.concatenate([scores, others]))[: len(scores)] - rankdata(scores)
