"""Workers' leniency: against Henderson's equations, and what adjusting does to means."""

from __future__ import annotations

import numpy as np
import pytest

from analysis.statistics import mixed
from analysis.statistics.leniency import adjusted_means, leniency
from tests.analysis.slow_statistics import drawn, given


@pytest.mark.parametrize("seed", range(3))
def test_effects_and_errors_solve_hendersons_equations(seed: int) -> None:
    ratings = drawn(seed)
    fitted = mixed.fit(ratings.table())
    workers = np.eye(12)[ratings.worker]
    both = np.column_stack([ratings.design(), workers])
    equations = both.T @ both
    equations[3:, 3:] += np.eye(12) / fitted[0].ratio
    solution = np.linalg.solve(equations, both.T @ ratings.score)
    found = leniency(ratings.table(), fitted)
    assert found.effect[:, 0] == pytest.approx(solution[3:])
    errors = np.sqrt(np.diag(np.linalg.inv(equations))[3:] * fitted[0].var_residual)
    assert found.error[:, 0] == pytest.approx(errors)


def test_adjusted_means_are_those_of_ratings_less_leniency() -> None:
    ratings = drawn(3)
    fitted = mixed.fit(ratings.table())
    less = ratings.score - leniency(ratings.table(), fitted).effect[ratings.worker, 0]
    found = adjusted_means(ratings.table(), fitted)
    for model in range(3):
        assert found.adjusted[model, 0] == pytest.approx(less[ratings.model == model].mean())
        assert found.raw[model, 0] == pytest.approx(ratings.score[ratings.model == model].mean())


def test_a_model_that_severe_workers_met_is_raised() -> None:
    severe = [{0: [1, 2, 1], 1: [1]} for _ in range(5)]
    lenient = [{0: [4], 1: [5, 4, 5]} for _ in range(5)]
    table = given(*severe, *lenient).table()
    found = adjusted_means(table, mixed.fit(table))
    assert found.shift[0, 0] > 0.5 and found.shift[1, 0] < -0.5


def test_few_ratings_are_shrunken_most() -> None:
    table = given({0: [5]}, {0: [5] * 6, 1: [5] * 6}, {0: [1, 2], 1: [2, 4]}, {0: [3, 2, 1], 1: [1]}).table()
    found = leniency(table, mixed.fit(table))
    assert found.shrinkage[0, 0] < found.shrinkage[1, 0] < 1
    assert 0 < found.effect[0, 0] < found.effect[1, 0] and found.error[0, 0] > found.error[1, 0]


def test_a_worker_without_ratings_is_average_and_unknown() -> None:
    table = given({0: [5, 4], 1: [4, 4]}, {}, {0: [1, 2], 1: [2, 4]}, {0: [3, 2], 1: [1]}).table()
    (fitted,) = mixed.fit(table)
    found = leniency(table, [fitted])
    assert (found.effect[1, 0], found.shrinkage[1, 0]) == (0, 0)
    assert found.error[1, 0] == pytest.approx(np.sqrt(fitted.var_worker))


@pytest.mark.parametrize("workers", [({},), ({0: [1, 2], 1: [4]},), ({0: [1]}, {0: [2]}, {1: [4]}, {1: [3]})])
def test_without_workers_who_rated_twice_there_is_no_leniency(workers) -> None:
    table = given(*workers).table()
    assert np.isnan(leniency(table, mixed.fit(table)).effect).all()
