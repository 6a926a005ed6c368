"""What more talks would tell: planning from the ratings that there are.

The spread of ratings and the share of it that is between workers are taken from the mixed model, the number of talks a
worker from the ratings, and the rest of the study is taken to go on as it began, with models dealt at random.

Shapes: W workers, M models, A axes.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from analysis.statistics.means import Floats, WorkerTable
from analysis.statistics.mixed import MixedModel
from analysis.statistics.planning import FEWEST, POWER, Design, detectable, pairs_of, ratings_needed

#: No study has more ratings of a model; equal means, too, may be 1e-16 apart.
MOST = 1_000_000


@dataclass(frozen=True, slots=True)
class Goal:
    """A difference in points of the scale, and how many ratings of each model find it.

    ``observed`` is true where it is the one between the two highest means. ``needed`` is for a pair by itself,
    ``needed_all`` by Bonferroni over all pairs. Either is FEWEST at least, and None where it would be above MOST.
    """

    difference: float
    observed: bool
    needed: int | None
    needed_all: int | None


@dataclass(frozen=True, slots=True)
class Outlook:
    """Of one axis. The first of the goals is the difference worth finding.

    ``have`` is the smallest number of ratings of a compared model. ``detectable`` is the difference that as many
    ratings of each model find, ``detectable_all`` over all pairs.
    """

    sd: float
    icc: float
    talks_a_worker: float
    models: int
    have: int
    detectable: float
    detectable_all: float
    goals: tuple[Goal, ...]

    @property
    def design(self) -> Design:
        """What is assumed of the rest of the study."""
        return Design(sd=self.sd, icc=self.icc, talks=self.talks_a_worker)


def outlook(
    table: WorkerTable,
    fitted: MixedModel,
    axis: int,
    wanted: float,
    observed: float | None,
    *,
    alpha: float,
    power: float = POWER,
) -> Outlook | None:
    """Plan for one axis; None where the spread is not known, or fewer than two models are compared.

    ``wanted`` is a difference worth finding, ``observed`` the one between the two best models, None where it is not
    known.
    """
    count = table.count[:, :, axis]
    rated = fitted.compared
    if len(rated) < 2 or not fitted.var_residual > 0:
        return None
    design = design_of(count, fitted)
    have, pairs = int(count[:, rated].sum(axis=0).min()), pairs_of(len(rated))
    goals = [(wanted, False)] + ([(observed, True)] if observed is not None else [])

    def needed(difference: float, comparisons: int) -> int | None:
        if abs(difference) < detectable(design, MOST, power=power, alpha=alpha, comparisons=comparisons):
            return None
        found = ratings_needed(design, difference, power=power, alpha=alpha, comparisons=comparisons)
        return max(found, FEWEST)

    return Outlook(
        sd=design.sd,
        icc=design.icc,
        talks_a_worker=design.talks,
        models=len(rated),
        have=have,
        detectable=detectable(design, have, power=power, alpha=alpha),
        detectable_all=detectable(design, have, power=power, alpha=alpha, comparisons=pairs),
        goals=tuple(
            Goal(difference, seen, needed(difference, 1), needed(difference, pairs))
            for difference, seen in goals
        ),
    )


def design_of(count: Floats, fitted: MixedModel) -> Design:
    """Where nobody rated twice the variances cannot be told apart, and need not be."""
    between = 0.0 if math.isnan(fitted.var_worker) else fitted.var_worker
    variance = between + fitted.var_residual
    load = count.sum(axis=1)
    return Design(
        sd=math.sqrt(variance),
        icc=between / variance,
        talks=float(load.sum() / (load > 0).sum()),
    )
