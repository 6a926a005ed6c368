"""Who hurries: the rules by hand, and their probabilities against simulated workers."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from ratings.quality.pace import Hurried, PaceModel, expected_hurried, fit_pace, hurried, short_talks
from ratings.quality.study_ratings import Floats, Integers
from tests.ratings.honest_workers import lognormal_times, paper_load


def times_of(*workers: list[float]) -> tuple[Integers, Floats]:
    worker = np.repeat(np.arange(len(workers)), [len(times) for times in workers])
    return worker, np.concatenate([np.array(times, dtype=float) for times in workers])


def test_a_median_below_a_third_of_the_studys_is_flagged() -> None:
    worker, seconds = times_of([300, 310, 330], [290, 350], [90, 100, 400], [320, 340])
    (flag,) = hurried(worker, seconds)
    assert (flag.worker, flag.talks, flag.median_s, flag.study_median_s) == (2, 3, 100, 315)
    assert flag.share == pytest.approx(100 / 315)


def test_the_median_of_an_even_number_of_talks_is_the_mean_of_the_middle_two() -> None:
    assert not hurried(*times_of([300] * 9, [50, 149, 151, 900])), "150 of 300 is half"
    (flag,) = hurried(*times_of([300] * 9, [50, 60, 110, 900]))
    assert flag.median_s == 85


@pytest.mark.parametrize("talks", [1, 2, 3, 4, 7, 10])
def test_the_probability_of_a_hurried_median_is_that_of_simulated_workers(talks: int) -> None:
    model = PaceModel(median_s=330, between=0.5, within=0.6)
    rng = np.random.default_rng(talks)
    effect = 0.5 * rng.standard_normal((200_000, 1))
    seconds = 330 * np.exp(effect + 0.6 * rng.standard_normal((200_000, talks)))
    seen = int((np.median(seconds, axis=1) < 150).sum())
    low, high = stats.binomtest(seen, 200_000).proportion_ci(0.999)
    assert low < model.median_below(150, talks) < high


def test_the_probability_of_any_short_talk_is_that_of_simulated_workers() -> None:
    model = PaceModel(median_s=330, between=0.3, within=0.4)
    rng = np.random.default_rng(0)
    effect = 0.3 * rng.standard_normal((200_000, 1))
    seconds = 330 * np.exp(effect + 0.4 * rng.standard_normal((200_000, 5)))
    seen = int((seconds < 120).any(axis=1).sum())
    low, high = stats.binomtest(seen, 200_000).proportion_ci(0.999)
    assert low < model.any_below(120, 5) < high


def test_the_pace_is_fitted_and_speeders_hardly_move_it() -> None:
    rng = np.random.default_rng(2)
    worker = np.repeat(np.arange(2000), 4)
    seconds = lognormal_times(worker, rng, between=0.3, within=0.4)
    seconds[worker < 100] /= 8  # one worker in twenty
    model = fit_pace(worker, seconds)
    assert model.median_s == pytest.approx(330, rel=0.05)
    assert (model.between, model.within) == pytest.approx((0.3, 0.4), abs=0.06)


def test_without_second_talks_all_spread_is_the_rests() -> None:
    seconds = lognormal_times(np.arange(3000), np.random.default_rng(1), between=0.3, within=0.4)
    model = fit_pace(np.arange(3000), seconds)
    assert (model.between, model.within) == pytest.approx((0, 0.5), abs=0.03)


def test_short_talks_are_counted_with_their_share() -> None:
    worker, seconds = times_of([300, 310, 330], [119, 350], [120, 400])
    (flag,) = short_talks(worker, seconds)
    assert (flag.worker, flag.talks, flag.short, flag.share, flag.limit_s) == (1, 2, 1, 0.5, 120)
    model = fit_pace(worker, seconds)
    assert flag.null_probability == pytest.approx(model.any_below(120, 2))


def test_expected_hurried_adds_up_over_workers() -> None:
    rng = np.random.default_rng(3)
    worker = np.repeat(np.arange(3), [1, 4, 10])
    seconds = lognormal_times(worker, rng, between=0.4, within=0.5)
    model = fit_pace(worker, seconds)
    by_hand = sum(model.median_below(model.median_s / 3, talks) for talks in (1, 4, 10))
    assert expected_hurried(worker, seconds) == pytest.approx(by_hand)


def test_as_many_honest_workers_hurry_as_expected() -> None:
    flagged, expected = 0, 0.0
    for seed in range(40):
        rng = np.random.default_rng(seed)
        worker = np.repeat(np.arange(234), paper_load(rng))
        seconds = lognormal_times(worker, rng, between=0.3, within=0.5)
        flagged += len(hurried(worker, seconds))
        expected += expected_hurried(worker, seconds)
    assert stats.poisson(expected).cdf(flagged) > 0.001 and stats.poisson(expected).sf(flagged - 1) > 0.001


def test_times_that_are_all_alike_flag_nobody() -> None:
    worker, seconds = times_of([60, 60], [60, 60, 60])
    assert hurried(worker, seconds) == [] and expected_hurried(worker, seconds) == pytest.approx(0)


def test_times_far_from_the_limit_have_no_probability_left() -> None:
    model = PaceModel(median_s=330, between=0.0, within=0.01)
    assert [model.median_below(110, talks) for talks in (2, 3)] == pytest.approx([0, 0], abs=1e-12)
    assert [model.median_below(900, talks) for talks in (2, 3)] == pytest.approx([1, 1], abs=1e-6)


def test_no_talks_flag_nobody() -> None:
    nothing: list[Hurried] = hurried(np.zeros(0, dtype=np.int64), np.zeros(0))
    assert nothing == [] == short_talks(np.zeros(0, dtype=np.int64), np.zeros(0))


@pytest.mark.parametrize("seconds", [[100.0, 0.0], [100.0, -3.0], [100.0, np.nan], []])
def test_times_that_cannot_be_are_refused(seconds: list[float]) -> None:
    with pytest.raises(ValueError, match="give one a talk, in seconds"):
        fit_pace(np.arange(len(seconds)), np.array(seconds))
