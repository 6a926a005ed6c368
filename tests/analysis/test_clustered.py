"""Least squares with clustered errors, for any design: against whole matrices."""

from __future__ import annotations

import numpy as np
import pytest

from analysis.errors import NotEstimable
from analysis.statistics import clustered
from tests.analysis.slow_statistics import cr2_by_definition, drawn


@pytest.mark.parametrize("seed", range(4))
def test_the_general_regression_follows_the_definition(seed: int) -> None:
    ratings, draw = drawn(seed), np.random.default_rng(seed)
    design = np.column_stack([ratings.design(), draw.normal(size=(60, 2))])
    found = clustered.fit(design, ratings.score, ratings.worker).contrasts(np.eye(5))
    for column, weights in enumerate(np.eye(5)):
        expected = cr2_by_definition(design, ratings.score, ratings.worker, weights)
        assert (found.estimate[column], found.error[column], found.df[column]) == pytest.approx(
            expected, rel=1e-8
        )


@pytest.mark.parametrize("unit", [1e-6, 1e6])
def test_units_do_not_matter(unit: float) -> None:
    ratings, draw = drawn(1), np.random.default_rng(1)
    own = (ratings.worker == ratings.worker[0]).astype(float)
    design = np.column_stack([ratings.design(), draw.normal(size=60), own])
    units = np.array([1, 1, 1, unit, unit])
    plain, other = (
        clustered.fit(each, ratings.score, ratings.worker).contrasts(np.eye(5))
        for each in (design, design * units)
    )
    np.testing.assert_allclose(other.estimate * units, plain.estimate, rtol=1e-9)
    np.testing.assert_allclose(other.error * units, plain.error, rtol=1e-9)
    np.testing.assert_allclose(other.df, plain.df, rtol=1e-9)


def test_what_only_one_worker_tells_has_no_error() -> None:
    ratings = drawn(5)
    own = (ratings.worker == ratings.worker[0]).astype(float)
    found = clustered.fit(np.column_stack([ratings.design(), own]), ratings.score, ratings.worker)
    effects = found.contrasts(np.eye(4))
    assert np.isnan([effects.error[3], effects.df[3], effects.p[3]]).all()
    assert (effects.error[:3] > 0).all()


def test_a_column_that_is_a_sum_of_others_is_refused() -> None:
    ratings = drawn(5)
    with pytest.raises(NotEstimable, match="column 3 cannot be told from what stands before; leave"):
        clustered.fit(np.column_stack([ratings.design(), np.ones(60)]), ratings.score, ratings.worker)


def test_one_worker_is_refused() -> None:
    with pytest.raises(NotEstimable, match="one worker gave all 3 ratings; at least two are needed"):
        clustered.fit(np.ones((3, 1)), np.array([1.0, 2.0, 3.0]), np.zeros(3, dtype=np.int64))
