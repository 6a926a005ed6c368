"""Contrasts of cell means: against whole matrices, against scipy, and by hand."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from analysis.statistics import contrasts
from analysis.statistics.differences import Untested, pairs
from analysis.statistics.means import summarise
from tests.analysis.slow_statistics import cr2_by_definition, drawn, given, sandwich

MODELS = 3
WEIGHTS = np.eye(MODELS)[pairs(MODELS)[0]] - np.eye(MODELS)[pairs(MODELS)[1]]


@pytest.mark.parametrize("seed", range(5))
def test_cr2_follows_the_definition(seed: int) -> None:
    ratings = drawn(seed)
    found = contrasts.cr2(ratings.table())
    for pair, weights in enumerate(WEIGHTS):
        expected = cr2_by_definition(ratings.design(), ratings.score, ratings.worker, weights)
        ours = found.estimate[pair, 0], found.error[pair, 0], found.df[pair, 0]
        assert ours == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("seed", range(3))
def test_cr1s_follows_the_definition(seed: int) -> None:
    ratings = drawn(seed)
    n, workers = len(ratings.score), len(np.unique(ratings.worker))
    factor = workers / (workers - 1) * (n - 1) / (n - MODELS)
    covariance = sandwich(ratings.design(), ratings.score, ratings.worker) * factor
    found = contrasts.cr1s(ratings.table())
    assert found.error[:, 0] == pytest.approx(np.sqrt([w @ covariance @ w for w in WEIGHTS]))
    assert (found.df == workers - 1).all()


def test_welch_is_scipys() -> None:
    ratings = drawn(7)
    found = contrasts.welch(summarise(ratings.table()))
    groups = [ratings.score[ratings.model == model] for model in range(MODELS)]
    for pair, (first, second) in enumerate(zip(*pairs(MODELS), strict=True)):
        expected = stats.ttest_ind(groups[first], groups[second], equal_var=False)
        assert found.p[pair, 0] == pytest.approx(expected.pvalue)
        limits = expected.confidence_interval()
        assert (found.interval().low[pair, 0], found.interval().high[pair, 0]) == pytest.approx(limits)


def test_with_one_rating_a_worker_cr2_is_welchs_error() -> None:
    table = given({0: [1]}, {0: [4]}, {0: [2]}, {1: [5]}, {1: [4]}, {1: [4]}, {1: [1]}).table()
    found, expected = contrasts.cr2(table), contrasts.welch(summarise(table))
    assert found.error[0, 0] == pytest.approx(expected.error[0, 0], abs=1e-12)


def test_each_axis_is_computed_by_itself() -> None:
    ratings = drawn(2, axes=2, n=120)
    together = contrasts.cr2(ratings.table())
    for axis in range(2):
        alone = contrasts.cr2(ratings.on(axis).table())
        for field in ("estimate", "error", "df"):
            np.testing.assert_allclose(getattr(together, field)[:, axis], getattr(alone, field)[:, 0])


def test_two_workers_who_rated_both_models_by_hand() -> None:
    # Worker one gives 2 and 4, worker two 3 and 3: e = -1/2, 1/2 and 1/2, -1/2, h = 1/2. A worker's score of the
    # difference is (e_1 - e_2) / (2 sqrt(1/2)) = -+1 / sqrt(2), so the variance is 1; by symmetry df is 1.
    found = contrasts.cr2(given({0: [2], 1: [4]}, {0: [3], 1: [3]}).table())
    assert (found.estimate[0, 0], found.error[0, 0]) == pytest.approx((-1, 1))
    assert found.df[0, 0] == pytest.approx(1)


@pytest.mark.parametrize(
    ("workers", "why"),
    [
        (({0: [1, 2]}, {0: [3]}), Untested.NO_RATINGS),
        (({0: [1, 2], 1: [3, 4]}, {1: [3]}), Untested.ONE_WORKER),
        (({0: [3], 1: [4]}, {0: [3], 1: [4]}), Untested.NO_VARIANCE),
        (({0: [2], 1: [3]}, {0: [3], 1: [4]}), Untested.NO_VARIANCE),
        # Every worker gives the second model one point more; rounding leaves 1e-16.
        (tuple({0: [s] * 2, 1: [s + 1] * 5} for s in (1, 2, 4, 4, 5, 3, 2)), Untested.NO_VARIANCE),
        # The sums of these fractions are 1e-16 off.
        (({0: [1.1] * 2, 1: [3.3] * 3}, {0: [1.1] * 5, 1: [3.3] * 4}), Untested.NO_VARIANCE),
    ],
)
def test_a_pair_says_why_it_has_no_test(workers, why: Untested) -> None:
    for method in (contrasts.cr2, contrasts.cr1s):
        found = method(given(*workers).table())
        assert found.untested[0, 0] == why
        assert np.isnan([found.error[0, 0], found.df[0, 0], found.p[0, 0], found.interval().low[0, 0]]).all()


def test_welch_needs_two_ratings_of_each_model() -> None:
    found = contrasts.welch(summarise(given({0: [1, 2], 1: [3]}).table()))
    assert found.untested[0, 0] == Untested.TOO_FEW_RATINGS and np.isnan(found.p[0, 0])


def test_a_model_of_one_worker_leaves_the_other_pairs_alone() -> None:
    ratings = drawn(3, models=2)
    rest = [{0: list(ratings.score[(ratings.worker == w) & (ratings.model == 0)])} for w in range(12)]
    for w, scores in enumerate(rest):
        scores[1] = list(ratings.score[(ratings.worker == w) & (ratings.model == 1)])
    rest[0][2] = [1.0, 5.0]
    found, expected = contrasts.cr2(given(*rest, models=3).table()), contrasts.cr2(ratings.table())
    assert found.untested[:, 0].tolist() == [Untested.NONE, Untested.ONE_WORKER, Untested.ONE_WORKER]
    assert (found.error[0, 0], found.df[0, 0]) == pytest.approx((expected.error[0, 0], expected.df[0, 0]))


def test_no_ratings_at_all() -> None:
    table = drawn(0).table()
    empty = type(table)(table.count[:0], table.total[:0], table.squares[:0])
    assert (contrasts.cr2(empty).untested == Untested.NO_RATINGS).all()
