"""The cluster bootstrap: against rows drawn one by one, and against the errors that it should find."""

from __future__ import annotations

import numpy as np
import pytest

from analysis.statistics.bootstrap import bootstrap_means, draws, percentile
from analysis.statistics.means import summarise
from tests.analysis.slow_statistics import drawn, given


def test_replicates_are_means_of_whole_workers_drawn_again() -> None:
    ratings = drawn(0, axes=2, n=200)
    found = bootstrap_means(ratings.table(), replicates=20, seed=3)
    times = draws(np.random.default_rng(3), 20, 12)
    for replicate, drawn_times in enumerate(times):
        rows = np.repeat(np.arange(200), drawn_times[ratings.worker].astype(int))
        for model in range(3):
            for axis in range(2):
                chosen = rows[(ratings.model[rows] == model) & (ratings.axis[rows] == axis)]
                assert found[replicate, model, axis] == pytest.approx(ratings.score[chosen].mean())


def test_as_many_are_drawn_as_there_are() -> None:
    times = draws(np.random.default_rng(0), 500, 40)
    assert (times.sum(axis=1) == 40).all()
    # Binomial with 40 draws and a chance of 1/40: mean 1, variance 39/40.
    assert times.mean() == 1 and times.var() == pytest.approx(39 / 40, abs=0.02)


def test_the_spread_of_replicates_is_the_clustered_error() -> None:
    table = drawn(1, workers=300, n=3000).table()
    spread = bootstrap_means(table, replicates=1000).std(axis=0)
    np.testing.assert_allclose(spread, summarise(table).error, rtol=0.1)


def test_the_same_seed_gives_the_same_replicates() -> None:
    table = drawn(1).table()
    first, again, other = (bootstrap_means(table, replicates=120, seed=seed) for seed in (5, 5, 6))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


def test_workers_without_ratings_are_not_drawn() -> None:
    table = given({0: [1], 1: [2]}, {}, {0: [3], 1: [5]}, {}).table()
    without = given({0: [1], 1: [2]}, {0: [3], 1: [5]}).table()
    np.testing.assert_array_equal(bootstrap_means(table, 50), bootstrap_means(without, 50))


def test_limits_are_quantiles() -> None:
    replicates = np.random.default_rng(2).normal(size=(999, 2, 1))
    found = percentile(replicates, 0.9)
    np.testing.assert_allclose(found.low, np.quantile(replicates, 0.05, axis=0))
    np.testing.assert_allclose(found.high, np.quantile(replicates, 0.95, axis=0))


def test_one_worker_gives_no_limits_and_no_ratings_none() -> None:
    found = percentile(bootstrap_means(given({0: [1, 5]}).table(), replicates=30))
    assert np.isnan(found.low).all() and np.isnan(found.high).all()


def test_replicates_that_nobody_rated_are_left_out() -> None:
    # Two workers, of whom one rated the second model: it has no mean in a quarter of the replicates.
    table = given({0: [1]}, {0: [2], 1: [3]}, {1: [5]}).table()
    replicates = bootstrap_means(table, replicates=400)
    assert np.isnan(replicates[:, 1]).any()
    assert percentile(replicates).low[1, 0] == 3 and percentile(replicates).high[1, 0] == 5


def test_an_empty_table_has_no_means() -> None:
    table = drawn(0).table()
    empty = type(table)(table.count[:0], table.total[:0], table.squares[:0])
    found = bootstrap_means(empty, replicates=10)
    assert found.shape == (10, 3, 1) and np.isnan(found).all()
    assert np.isnan(percentile(found).low).all()
