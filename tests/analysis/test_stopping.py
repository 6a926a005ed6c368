"""Several models and several looks: error rates of pairs, sizes of studies, and when a question is answered."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from analysis.statistics.mixed import fit_axis
from analysis.statistics.planning import Design, ratings_needed
from analysis.statistics.sequential import mixture_bounds
from analysis.statistics.stopping import (
    Compared,
    at_any_time,
    compared,
    decided_by,
    error_of_a_pair,
    is_answered,
    leader,
    limits,
    normal_scores,
    passed,
    power_with,
    sized,
    standing,
)
from analysis.statistics.terms import Question, Rule
from tests.analysis.slow_statistics import Ratings

DESIGN = Design(sd=1.3, icc=0.23, talks=3.4)
FIRST, SECOND = np.array([0, 0, 1]), np.array([1, 2, 2])
STUDIES = 20_000


# --- Error rates ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("question", "models", "expected"),
    [
        (Question.ONE_PAIR, 8, 0.05),
        (Question.ALL_PAIRS, 8, 0.05 / 28),
        (Question.BEST, 8, 0.05),
        (Question.BEST, 2, 0.05),
        (Question.ALL_PAIRS, 2, 0.05),
    ],
)
def test_the_error_rate_of_a_pair(question: Question, models: int, expected: float) -> None:
    assert error_of_a_pair(question, models) == pytest.approx(expected)


@pytest.mark.parametrize("rule", Rule)
@pytest.mark.parametrize(
    "means", [[0, 0, 0, 0], [0, 0, 0, -9], [0, 0, -9, -9], [0, 0, -1, -1], [0, 0, -3, -3]]
)
@pytest.mark.parametrize("question", [Question.BEST, Question.ALL_PAIRS])
def test_equal_models_are_told_apart_at_the_error_rate_at_most(
    rule: Rule, means: list[float], question: Question
) -> None:
    """Means of four models as they come in, of which some are equal: whoever is best among these, none is the best."""
    shares, draw = np.array([0.25, 0.5, 0.75, 1.0]), np.random.default_rng(3)
    steps = draw.normal(0, np.sqrt(0.25), (STUDIES, 4, 4)).cumsum(axis=1)  # (studies, looks, models)
    sums = steps + shares[:, None] * np.array(means)
    first, second = np.triu_indices(4, 1)
    z = (sums[:, :, first] - sums[:, :, second]) / np.sqrt(2 * shares)[:, None]
    bounds = limits(rule, shares, error_of_a_pair(question, 4))
    crossed = (np.abs(z) >= bounds[:, None]).any(axis=1)  # (studies, pairs)
    equal = np.array(means)[first] == np.array(means)[second]
    if question is Question.ALL_PAIRS:
        wrong = crossed[:, equal].any(axis=1)
    else:
        ahead = np.where(np.abs(z) >= bounds[:, None], np.sign(z), 0)
        beaten = [((ahead > 0) * (first == m) + (ahead < 0) * (second == m)).sum(axis=2) for m in range(4)]
        wrong = (np.stack(beaten) == 3).any(axis=(0, 2))  # two models are the best, so none is
    assert wrong.mean() < 0.05 + 3 * (0.05 * 0.95 / STUDIES) ** 0.5


# --- Sizes ----------------------------------------------------------------------------------------------------


def test_one_look_takes_what_the_formula_says() -> None:
    for alpha in (0.05, 0.0125):
        found = sized(DESIGN, 0.3, Rule.OBRIEN_FLEMING, 1, alpha=alpha)
        assert found.n == ratings_needed(DESIGN, 0.3, alpha=alpha)


@pytest.mark.parametrize("rule", Rule)
@pytest.mark.parametrize("looks", [2, 5])
def test_a_study_of_that_size_has_the_power_and_one_talk_less_has_not(rule: Rule, looks: int) -> None:
    found = sized(DESIGN, 0.3, rule, looks, power=0.9)
    assert power_with(DESIGN, 0.3, found.n, found) >= 0.9 > power_with(DESIGN, 0.3, found.n - 1, found)


def test_simulated_studies_of_that_size_find_the_difference_and_end_where_it_says() -> None:
    found = sized(DESIGN, 0.3, Rule.OBRIEN_FLEMING, 4)
    drift = 0.3 / DESIGN.error(found.n)
    steps = np.random.default_rng(5).normal(drift / 4, 0.5, (STUDIES, 4)).cumsum(axis=1)
    crossed = np.abs(steps / np.sqrt(found.shares)) >= found.limits
    ends = np.where(crossed.any(axis=1), found.shares[crossed.argmax(axis=1)], 1)
    assert crossed.any(axis=1).mean() == pytest.approx(0.8, abs=0.01)
    assert ends.mean() == pytest.approx(found.found.information, abs=0.006)


@pytest.mark.parametrize(
    ("difference", "power", "message"),
    [(0.0, 0.8, "difference is 0.0"), (float("nan"), 0.8, "difference is nan"), (0.3, 0.01, "power is 0.01")],
)
def test_nonsense_is_refused_in_words(difference: float, power: float, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        sized(DESIGN, difference, Rule.POCOCK, 3, power=power)


# --- A look ---------------------------------------------------------------------------------------------------


def test_the_normal_score_is_as_unlikely_as_students_t() -> None:
    t, df = np.array([2.5, -2.5, 0.0, 60.0]), np.array([4.0, 4.0, 4.0, 500.0])
    z = normal_scores(t, df)
    assert stats.norm.sf(z[0]) == pytest.approx(stats.t.sf(2.5, 4))
    assert z[1] == -z[0] and z[2] == 0
    assert np.isfinite(z[3]) and z[3] > 25


def test_what_cannot_be_told_passes_nothing() -> None:
    assert passed(np.array([np.nan, 3.0, -3.0, 1.0]), 2.0).tolist() == [0, 1, -1, 0]


def test_the_first_look_that_decides_a_pair_stays() -> None:
    looks = [np.array([0, -1, 0]), np.array([1, 1, 0]), np.array([-1, 0, 0])]
    assert standing(looks).tolist() == [1, -1, 0]


@pytest.mark.parametrize(
    ("decided", "best"),
    [
        ([1, 1, 0], 0),
        ([-1, 0, 1], 1),
        ([0, -1, -1], 2),
        ([1, 0, 1], None),
        ([1, -1, 1], None),
        ([0, 0, 0], None),
    ],
)
def test_the_leader_is_ahead_of_every_other(decided: list[int], best: int | None) -> None:
    assert leader(FIRST, SECOND, np.array(decided), 3) == best
    assert is_answered(Question.BEST, FIRST, SECOND, np.array(decided), 3) is (best is not None)


def test_the_best_is_ahead_of_all_at_one_look_and_pairs_are_decided_by_any() -> None:
    looks = [np.array([1, 0, 0]), np.array([0, 1, 0])]
    assert decided_by(Question.BEST, looks).tolist() == [0, 1, 0]
    assert decided_by(Question.ALL_PAIRS, looks).tolist() == [1, 1, 0]


def test_all_pairs_are_answered_when_each_is_decided() -> None:
    assert not is_answered(Question.ALL_PAIRS, FIRST, SECOND, np.array([1, 1, 0]), 3)
    assert is_answered(Question.ALL_PAIRS, FIRST, SECOND, np.array([1, 1, -1]), 3)


def rated(seed: int = 1):
    draw = np.random.default_rng(seed)
    worker, model = np.repeat(np.arange(30), 3), np.tile(np.arange(3), 30)
    score = 3 + 0.4 * model + draw.normal(0, 0.7, 30)[worker] + draw.normal(0, 1, 90)
    table = Ratings(worker, model, worker * 0, score, (30, 3, 1)).table()
    return table


def test_limits_for_any_time_are_where_the_score_is_the_mixtures() -> None:
    found = compared(rated(), 0, FIRST, SECOND)
    interval = at_any_time(found, 0.4, 0.02)
    for end in (interval.low, interval.high):
        scores = normal_scores((end - found.estimate) / found.error, found.df)
        assert np.abs(scores) == pytest.approx(np.full(3, mixture_bounds(np.array([0.4]), alpha=0.02)[0]))


@pytest.mark.parametrize("share", [1e-2, 1e-3, 1e-4, 1e-5])
def test_limits_at_the_very_start_are_those_of_the_scale(share: float) -> None:
    table = rated()
    few = Compared(
        FIRST, SECOND, np.array([-1, 0.5, np.nan]), np.array([1, 0.3, np.nan]), *np.full((2, 3), 2.0)
    )
    many = compared(table, 0, FIRST, SECOND)
    for found in (few, many):
        interval = at_any_time(found, share, 0.02, 4)
        told = ~np.isnan(found.estimate)
        assert (interval.low[told] <= found.estimate[told]).all() and (interval.low[told] >= -4).all()
        assert (interval.high[told] >= found.estimate[told]).all() and (interval.high[told] <= 4).all()
    assert at_any_time(few, share, 0.02, 4).low[:2].tolist() == [-4, -4]
    assert np.isnan([at_any_time(few, share, 0.02, 4).low[2], at_any_time(few, share, 0.02, 4).high[2]]).all()


def test_a_difference_of_any_size_has_a_finite_score() -> None:
    scores = normal_scores(np.array([-1e3, 1e300, 50.0]), np.array([1e8, 1e5, 1e9]))
    assert (
        np.sign(scores).tolist() == [-1, 1, 1] and (np.abs(scores) > 30).all() and np.isfinite(scores).all()
    )


def test_a_model_that_one_worker_rated_passes_nothing() -> None:
    table = rated()
    for part in (table.count, table.total, table.squares):
        part[1:, 2] = 0
    found = compared(table, 0, FIRST, SECOND)
    assert np.isnan(found.z).tolist() == [False, True, True]
    assert passed(found.z, 0.0)[1:].tolist() == [0, 0]


def test_a_pair_is_compared_by_its_own_ratings() -> None:
    table = rated()
    found = compared(table, 0, FIRST, SECOND)
    alone = fit_axis(*(part[:, 1:, 0] for part in (table.count, table.total, table.squares)))
    assert found.estimate[2] == pytest.approx(alone.means[0] - alone.means[1])
    variance = alone.covariance[0, 0] + alone.covariance[1, 1] - 2 * alone.covariance[0, 1]
    assert found.error[2] == pytest.approx(variance**0.5)
