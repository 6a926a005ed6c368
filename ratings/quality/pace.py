"""Who hurries: the time of talks, or of single messages, against what is usual in the study. Nothing here excludes.

The rules take seconds, one value a talk: how long it took, or how long it took a message. How likely an honest worker
would be flagged follows from a log-normal model of the study's own times, log s = log(median) + w + e, with a worker
effect w and the rest e. It is fitted by medians and median absolute deviations, which a minority of hurried workers
hardly moves: all talks give the spread of w + e, and differences between one talk and the worker's next that of e.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.special import betainc, gammaln, log_ndtr, ndtr, ndtri

from ratings.quality.normal_scores import normal_grid
from ratings.quality.study_ratings import Floats, Integers

#: A worker's median below this share of the study's median is flagged; few honest workers, mostly with a single talk.
HURRIED = 1 / 3
#: Seconds; a talk that is shorter is a signal to look at it, and a weak one, as honest workers have them too.
SHORT_TALK_S = 120.0
#: The spread of a normal variable over its median absolute deviation.
NORMAL_MAD = 1 / float(ndtri(0.75))


@dataclass(frozen=True, slots=True)
class PaceModel:
    """``median_s`` is the study's median; ``between`` and ``within`` are the spreads of w and e."""

    median_s: float
    between: float
    within: float

    def median_below(self, seconds: float, talks: int) -> float:
        """P(the median over so many talks of an honest worker is below ``seconds``)."""
        if talks % 2:
            half = (talks + 1) / 2
            return self._mean_over_workers(lambda z: betainc(half, half, ndtr(z)), seconds)
        return self._mean_over_workers(lambda z: _even_median_below(z, talks, self.within), seconds)

    def any_below(self, seconds: float, talks: int) -> float:
        """P(at least one of so many talks of an honest worker is shorter than ``seconds``)."""
        return self._mean_over_workers(lambda z: -np.expm1(talks * np.log1p(-ndtr(z))), seconds)

    def _mean_over_workers(self, chance: Callable[[Floats], Floats], seconds: float) -> float:
        """Mean of ``chance`` of the standardised limit; every worker has a limit of their own."""
        place, weight = normal_grid(81)
        limit = np.log(seconds / self.median_s) - self.between * place
        return float(weight @ chance(limit / self.within))


def fit_pace(worker: Integers, seconds: Floats) -> PaceModel:
    """The study's times, one entry a talk in the order of the talks; ``worker`` counts from 0.

    Where no worker has two talks, all the spread counts as the rest. Raises ValueError without talks, or where a time
    is not above 0.
    """
    if not len(seconds) or not (seconds > 0).all():
        wrong = int((~(seconds > 0)).sum())
        raise ValueError(f"{len(seconds)} times, {wrong} of them not above 0; give one a talk, in seconds")
    median_s, log = float(np.median(seconds)), np.log(seconds)
    whole = NORMAL_MAD * np.median(np.abs(log - np.log(median_s)))
    order = np.argsort(worker, kind="stable")
    steps = np.diff(log[order])[np.diff(worker[order]) == 0]
    within = NORMAL_MAD * np.median(np.abs(steps)) / np.sqrt(2) if len(steps) else whole
    between = np.sqrt(max(whole**2 - within**2, 0))
    # Times that are all alike have no spread; a thousandth keeps the limits finite.
    return PaceModel(median_s, float(between), float(max(within, 1e-3)))


@dataclass(frozen=True, slots=True)
class Hurried:
    """A worker whose median is below ``HURRIED`` of the study's; times in seconds."""

    worker: int
    talks: int
    median_s: float
    study_median_s: float
    null_probability: float

    @property
    def share(self) -> float:
        """Of the study's median."""
        return self.median_s / self.study_median_s


def hurried(
    worker: Integers, seconds: Floats, share: float = HURRIED, model: PaceModel | None = None
) -> list[Hurried]:
    """Workers with a median below ``share`` of the study's, over all their talks; one talk is enough to be flagged.

    A single talk says little: its probability stands with it. ``model`` is the study's pace, where these are not all of
    its talks; without one it is fitted to them.
    """
    if not len(seconds):
        return []
    model = model or fit_pace(worker, seconds)
    limit = share * model.median_s
    talks = np.bincount(worker)
    medians = _medians(worker, seconds, talks)
    return [
        Hurried(
            worker=int(each),
            talks=int(talks[each]),
            median_s=float(medians[each]),
            study_median_s=model.median_s,
            null_probability=model.median_below(limit, int(talks[each])),
        )
        for each in np.nonzero(medians < limit)[0]
    ]


@dataclass(frozen=True, slots=True)
class ShortTalks:
    """A worker with talks shorter than ``limit_s``; ``null_probability`` is that of at least one such talk."""

    worker: int
    talks: int
    short: int
    limit_s: float
    null_probability: float

    @property
    def share(self) -> float:
        """Of the worker's talks."""
        return self.short / self.talks


def short_talks(worker: Integers, seconds: Floats, limit_s: float = SHORT_TALK_S) -> list[ShortTalks]:
    """Workers with any talk below ``limit_s`` seconds: a reason to read those talks, and none to exclude."""
    if not len(seconds):
        return []
    model = fit_pace(worker, seconds)
    talks, short = np.bincount(worker), np.bincount(worker, weights=seconds < limit_s)
    return [
        ShortTalks(
            worker=int(each),
            talks=int(talks[each]),
            short=int(short[each]),
            limit_s=limit_s,
            null_probability=model.any_below(limit_s, int(talks[each])),
        )
        for each in np.nonzero(short)[0]
    ]


def expected_hurried(
    worker: Integers, seconds: Floats, share: float = HURRIED, model: PaceModel | None = None
) -> float:
    """How many workers ``hurried`` would flag if all were honest."""
    if not len(seconds):
        return 0.0
    model = model or fit_pace(worker, seconds)
    talks, workers = np.unique(np.bincount(worker), return_counts=True)
    each = [model.median_below(share * model.median_s, int(k)) if k else 0.0 for k in talks]
    return float(workers @ np.array(each))


def _medians(worker: Integers, seconds: Floats, talks: Integers) -> Floats:
    """Each worker's median; inf without talks."""
    ordered = seconds[np.lexsort((seconds, worker))]
    last = np.cumsum(talks)
    lower = np.minimum(last - talks + np.maximum(talks - 1, 0) // 2, len(ordered) - 1)
    upper = np.minimum(last - talks + talks // 2, len(ordered) - 1)
    return np.where(talks > 0, (ordered[lower] + ordered[upper]) / 2, np.inf)


def _even_median_below(limit: Floats, talks: int, within: float) -> Floats:
    """P(the median of an even number of talks is below exp(within * limit)), where log s = within * (normal).

    The median is the mean of the two middle times. With y the lower one, the (k/2)-th of k, the other k/2 lie above it,
    and the smallest of them must be at most 2 exp(within * limit) - exp(within * y). Midpoint rule over y.
    """
    half, points = talks // 2, 400
    start = np.minimum(limit, 0) - 9
    step = (limit - start)[:, None] / points
    lower = start[:, None] + step * (np.arange(points) + 0.5)
    ways = gammaln(talks + 1) - gammaln(half) - gammaln(half + 1) - np.log(2 * np.pi) / 2
    density = np.exp(ways + (half - 1) * log_ndtr(lower) + half * log_ndtr(-lower) - lower**2 / 2)
    upper = np.log(2 * np.exp(within * limit)[:, None] - np.exp(within * lower)) / within
    mean_below = -np.expm1(half * (log_ndtr(-upper) - log_ndtr(-lower)))
    below: Floats = (density * mean_below * step).sum(axis=1)
    return below
