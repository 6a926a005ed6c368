"""Planning from ratings that there are."""

from __future__ import annotations

import pytest

from analysis.statistics import mixed
from analysis.statistics.outlook import Outlook, outlook
from analysis.statistics.planning import FEWEST, Design, detectable, ratings_needed
from tests.analysis.slow_statistics import Ratings, drawn, given


def planned(ratings: Ratings, observed: float | None = 0.4) -> Outlook | None:
    table = ratings.table()
    return outlook(table, mixed.fit(table)[0], 0, 0.3, observed, alpha=0.05)


def test_it_plans_with_the_spread_and_the_load_that_were_found() -> None:
    ratings = drawn(2, n=90)
    found, (fitted,) = planned(ratings), mixed.fit(ratings.table())
    assert found and (found.models, found.talks_a_worker) == (3, 90 / 12)
    assert found.sd**2 == pytest.approx(fitted.var_worker + fitted.var_residual)
    assert found.icc == pytest.approx(fitted.icc)


def test_goals_are_what_the_planner_says() -> None:
    found = planned(drawn(2, n=90))
    assert found is not None
    design = Design(found.sd, found.icc, found.talks_a_worker)
    first, second = found.goals
    assert (first.difference, first.observed, first.needed) == (0.3, False, ratings_needed(design, 0.3))
    assert second.observed and second.needed_all == ratings_needed(design, 0.4, comparisons=3)
    assert found.detectable_all == detectable(design, found.have, comparisons=3)


def test_there_are_as_many_as_of_the_model_with_the_fewest() -> None:
    found = planned(given({0: [1, 2, 5], 1: [3]}, {0: [2], 1: [4]}))
    assert found is not None and found.have == 2


def test_no_difference_needs_no_finite_number() -> None:
    found = planned(drawn(2), observed=0.0)
    assert found is not None and found.goals[1].needed is None and found.goals[0].needed


def test_large_differences_are_given_the_fewest_that_can_be_planned_with() -> None:
    found = planned(drawn(2, n=90), 4.0)
    assert found and (found.goals[1].needed, found.goals[1].needed_all) == (FEWEST, FEWEST)


@pytest.mark.parametrize("difference", [1e-15, -1e-15, 1e-4])
def test_a_difference_that_takes_over_a_million_is_not_counted(difference: float) -> None:
    found = planned(drawn(2, n=90), difference)
    assert found and (found.goals[1].needed, found.goals[1].needed_all) == (None, None)


def test_where_nobody_rated_twice_all_variance_is_between_ratings() -> None:
    found = planned(given({0: [1]}, {0: [4]}, {1: [2]}, {1: [5]}, {}))
    assert found is not None and (found.icc, found.talks_a_worker) == (0, 1)


@pytest.mark.parametrize("workers", [[{0: [1, 2]}, {0: [4]}], [{0: [3], 1: [3]}, {0: [3], 1: [3]}]])
def test_one_model_or_no_variance_cannot_be_planned_with(workers: list[dict[int, list[float]]]) -> None:
    assert planned(given(*workers)) is None
