"""Contrasts within workers: against a regression on all workers, by hand, and where workers and models are tied."""

from __future__ import annotations

import numpy as np
import pytest

from analysis.statistics import contrasts, mixed, within
from analysis.statistics.differences import Untested
from tests.analysis.slow_statistics import Ratings, drawn, given, sandwich


@pytest.mark.parametrize("seed", range(4))
def test_it_is_the_regression_on_models_and_workers(seed: int) -> None:
    ratings = drawn(seed)
    workers = np.eye(ratings.shape[0])[ratings.worker]
    workers = workers[:, workers.any(axis=0)]
    models = ratings.design()[:, 1:]
    design = np.column_stack([models, workers])
    coefficients = np.linalg.lstsq(design, ratings.score, rcond=None)[0]
    inside = models - workers @ np.linalg.lstsq(workers, models, rcond=None)[0]
    parts = np.array(
        [
            np.sum((inside[ratings.worker == w] @ np.linalg.inv(inside.T @ inside)) ** 2, axis=0)
            for w in range(12)
        ]
    )
    effective = parts.sum(axis=0) ** 2 / (parts**2).sum(axis=0)
    variance = np.diag(sandwich(design, ratings.score, ratings.worker))[:2] * effective / (effective - 1)
    found = within.differences(ratings.table())
    assert found.estimate[:2, 0] == pytest.approx(-coefficients[:2])
    assert found.error[:2, 0] == pytest.approx(np.sqrt(variance))
    assert found.df[:2, 0] == pytest.approx(effective - 1)


def test_a_complete_block_by_hand() -> None:
    # Differences within workers are 1, 3 and 2: their mean is 2, and the error sqrt(1 / 3 * 2 / 3 * 3 / 2) = sqrt(1/3).
    found = within.differences(given({0: [3], 1: [2]}, {0: [5], 1: [2]}, {0: [3], 1: [1]}).table())
    assert (found.estimate[0, 0], found.error[0, 0], found.df[0, 0]) == pytest.approx((2, 3**-0.5, 2))


def test_workers_who_rated_one_model_change_nothing() -> None:
    block = [{0: [3], 1: [2]}, {0: [5], 1: [2]}, {0: [3], 1: [1]}]
    found, expected = (
        within.differences(given(*w).table()) for w in ([*block, {0: [5, 5]}, {1: [5]}], block)
    )
    assert found.estimate == pytest.approx(expected.estimate) and found.error == pytest.approx(expected.error)


def test_leniency_that_goes_with_a_model_is_taken_out() -> None:
    # Lenient workers met the second model three times as often; the models are alike.
    draw = np.random.default_rng(8)
    lenient = draw.normal(0, 1, 400)
    worker = np.repeat(np.arange(400), 4)
    model = (draw.random(1600) < np.where(lenient > 0, 0.75, 0.25)[worker]).astype(np.int64)
    score = 3 + lenient[worker] + draw.normal(0, 1, 1600)
    table = Ratings(worker, model, np.zeros_like(worker), score, (400, 2, 1)).table()
    inside, half, raw = (
        found.estimate[0, 0]
        for found in (within.differences(table), mixed.differences(mixed.fit(table)), contrasts.cr2(table))
    )
    assert abs(inside) < 0.15 < abs(half) < abs(raw) and raw < -0.6


@pytest.mark.parametrize(
    ("workers", "why"),
    [
        (({0: [1, 2]}, {1: [3, 1]}), Untested.NOT_LINKED),
        (({},), Untested.NOT_LINKED),
        (({0: [1], 1: [2]}, {1: [3]}), Untested.ONE_WORKER),
        (({0: [1, 2], 1: [2, 3]}, {0: [4]}, {1: [3]}), Untested.ONE_WORKER),
        (({0: [1], 1: [2]}, {0: [3], 1: [4]}), Untested.NO_VARIANCE),
    ],
)
def test_a_pair_says_why_it_has_no_test(workers, why: Untested) -> None:
    found = within.differences(given(*workers).table())
    assert found.untested[0, 0] == why
    assert np.isnan([found.error[0, 0], found.df[0, 0], found.p[0, 0]]).all()


def test_models_are_compared_within_the_group_that_workers_link() -> None:
    left = [{0: [3], 1: [2]}, {0: [5], 1: [2]}, {0: [3], 1: [1]}]
    right = [{2: [3], 3: [5]}, {2: [1], 3: [2]}]
    found = within.differences(given(*left, *right, models=4).table())
    assert found.untested[:, 0].tolist().count(Untested.NOT_LINKED) == 4
    assert (found.estimate[0, 0], found.estimate[5, 0]) == pytest.approx((2, -1.5))
    assert (found.df[0, 0], found.df[5, 0]) == (2, 1)


def test_a_pair_that_one_worker_links_has_no_test() -> None:
    block = [{0: [3], 1: [2]}, {0: [5], 1: [2]}, {0: [3], 1: [1]}]
    linking, right = {1: [4, 3], 2: [1, 2]}, [{2: [3], 3: [5]}, {2: [1], 3: [2]}]
    found = within.differences(given(*block, linking, *right, models=4).table())
    of_pairs = dict(zip(zip(found.first, found.second, strict=True), found.untested[:, 0], strict=True))
    assert [pair for pair, why in of_pairs.items() if why == Untested.NONE] == [(0, 1), (2, 3)]
    assert set(of_pairs.values()) == {Untested.NONE, Untested.ONE_WORKER}


@pytest.mark.parametrize("raters", [1, 2, 3, 8])
def test_equal_models_are_seldom_told_apart_however_few_rated_one(raters: int) -> None:
    draw, false = np.random.default_rng(5), 0
    worker = np.concatenate([np.repeat(np.arange(30), 4), np.repeat(np.arange(raters), 2)])
    model = np.concatenate([np.tile([0, 0, 1, 1], 30), np.full(2 * raters, 2)])
    for _ in range(400):
        score = 3 + draw.normal(0, 1, 30)[worker] + draw.normal(0, 1, len(worker))
        found = within.differences(Ratings(worker, model, worker * 0, score, (30, 3, 1)).table())
        false += bool(found.p[1, 0] < 0.05)
    assert false / 400 < 0.08
