"""The model of honest ratings: its probabilities against simulated workers and sums over all answers."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.special import ndtr
from scipy.stats import binomtest, norm

from ratings.quality.honest import HonestModel, fit_honest_model, smoothed
from ratings.quality.normal_scores import Shares, cuts_of, fitted_share, pair_probabilities
from ratings.quality.repeated_answers import Reading, repeated_pattern
from ratings.quality.study_ratings import StudyRatings
from tests.ratings.honest_workers import (
    AXES,
    BETAS,
    MODELS,
    OWN_VIEW,
    SCENARIOS,
    Scenario,
    deal,
    honest_study,
    paper_load,
    shares_of_one_answer,
    study_of,
)

TASTE = Scenario("taste", SCENARIOS[0].cuts, leniency=0.6, halo=0.5, taste=0.7)


def true_model(scenario: Scenario) -> HonestModel:
    """The model with the scenario's own parameters; own views of a model count as halo."""
    halo = scenario.halo**2 + OWN_VIEW**2
    whole = 1 + scenario.leniency**2 + scenario.taste**2 + halo
    cuts = (np.array(scenario.cuts) - scenario.shift - BETAS[:, None]) / np.sqrt(whole)
    ends = np.full((MODELS, 1), np.inf)
    each = np.concatenate([-ends, cuts, ends], axis=1)[:, None]
    shares = Shares(scenario.leniency**2 / whole, scenario.taste**2 / whole, halo / whole)
    return HonestModel(np.repeat(each, AXES, axis=1), shares)


def mean_over_designs(model: HonestModel, talks: int, reading: Reading) -> float:
    rng = np.random.default_rng(5)
    worker, dealt = np.repeat(np.arange(400), talks), rng.integers(MODELS, size=400 * talks)
    study = study_of(worker, dealt, np.ones((len(worker), AXES), dtype=np.int64))
    return float(model.null_probabilities(study.talks, reading).mean())


# --- Probabilities under a known model --------------------------------------------------------------------------


@pytest.mark.parametrize("talks", [1, 2, 3, 10])
@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda each: each.name)
def test_one_answer_everywhere_is_as_common_as_among_simulated_workers(
    scenario: Scenario, talks: int
) -> None:
    workers = 100_000
    seen, _ = shares_of_one_answer(scenario, talks, workers, seed=talks)
    expected = mean_over_designs(true_model(scenario), talks, Reading.EVERYWHERE)
    # Own views of a model repeat between its talks, and the designs of the mean are 400: a few in a hundred.
    slack = 0.05 * expected
    low, high = binomtest(round(seen * workers), workers).proportion_ci(0.999)
    assert low - slack <= expected <= high + slack


@pytest.mark.parametrize("scenario", [SCENARIOS[0], SCENARIOS[2], TASTE], ids=lambda each: each.name)
def test_the_same_answers_each_talk_are_as_common_as_among_simulated_workers(scenario: Scenario) -> None:
    workers = 200_000
    _, seen = shares_of_one_answer(scenario, 3, workers, seed=1)
    expected = mean_over_designs(true_model(scenario), 3, Reading.EACH_TALK)
    low, high = binomtest(round(seen * workers), workers).proportion_ci(0.999)
    assert low - 0.05 * expected <= expected <= high + 0.05 * expected


def test_without_effects_the_sum_over_all_answers_is_met() -> None:
    """Independent ratings: the sum over values of products, in closed form."""
    probability = np.array([[[0.1, 0.2, 0.3, 0.25, 0.15], [0.05, 0.15, 0.2, 0.2, 0.4]]])
    model = HonestModel(cuts_of(probability), Shares(0.0, 0.0, 0.0))
    one_value = (probability[0, 0] ** 3 * probability[0, 1] ** 3).sum()
    any_values = (probability[0, 0] ** 3).sum() * (probability[0, 1] ** 3).sum()
    assert model.same_answers([0, 0, 0]) == pytest.approx(one_value, rel=1e-9)
    assert model.same_answers([0, 0, 0], Reading.EACH_TALK) == pytest.approx(any_values, rel=0.02)


def test_with_leniency_alone_the_integral_is_met() -> None:
    scenario = Scenario("leniency", SCENARIOS[0].cuts, leniency=0.8, halo=0.0)
    model = HonestModel(true_model(scenario).cuts, Shares(0.3, 0.0, 0.0))
    cuts = model.cuts[4, 0]

    def given(u: float) -> float:
        chance = np.diff(ndtr((cuts - np.sqrt(0.3) * u) / np.sqrt(0.7)))
        return float((chance ** (4 * AXES)).sum() * norm.pdf(u))

    assert model.same_answers([4, 4, 4, 4]) == pytest.approx(quad(given, -8, 8)[0], rel=0.005)


def test_one_talk_gives_some_answers_for_sure() -> None:
    """Of one talk any answers are "the same each talk": the probability of all patterns together is 1."""
    for scenario in SCENARIOS:
        assert true_model(scenario).same_answers([3], Reading.EACH_TALK) == pytest.approx(1, abs=0.05)


def test_a_halo_of_two_axes_is_summed_by_hand() -> None:
    """Two axes, two talks, two values: E_h of both talks apart, from the bivariate normal."""
    model = HonestModel(cuts_of(np.full((1, 2, 2), 0.5)), Shares(0.0, 0.0, 0.5))
    same = 0.25 + np.arcsin(0.5) / (2 * np.pi)  # both scores above 0, correlation .5 (Sheppard 1899)
    other = 0.5 - same
    assert model.same_answers([0, 0]) == pytest.approx(2 * same**2, rel=1e-4)
    assert model.same_answers([0, 0], Reading.EACH_TALK) == pytest.approx(
        2 * same**2 + 2 * other**2, rel=0.01
    )


def test_every_worker_is_judged_by_the_talks_and_axes_they_rated() -> None:
    model = true_model(SCENARIOS[1])
    full = study_of(np.array([0, 0, 0, 1, 1, 1]), np.array([0, 3, 5, 7, 7, 7]), np.ones((6, AXES), dtype=int))
    kept = ~((full.worker == 1) & (full.axis > 1))  # worker 1 rated two axes
    part = StudyRatings(
        *(column[kept] for column in (full.worker, full.talk, full.model, full.axis, full.score))
    )
    found = model.null_probabilities(part.talks, Reading.EVERYWHERE)
    two_axes = HonestModel(model.cuts[:, :2], model.shares)
    assert found == pytest.approx([model.same_answers([0, 3, 5]), two_axes.same_answers([7, 7, 7])], rel=1e-9)


def test_expected_false_flags_add_up_over_those_with_three_talks() -> None:
    model = true_model(SCENARIOS[2])
    worker, dealt = np.array([0, 1, 1, 2, 2, 2, 4, 4, 4, 4]), np.arange(10) % MODELS
    talks = study_of(worker, dealt, np.ones((10, AXES), dtype=np.int64)).talks
    by_hand = model.same_answers(dealt[3:6].tolist()) + model.same_answers(dealt[6:].tolist())
    assert model.expected_false_flags(talks, Reading.EVERYWHERE) == pytest.approx(by_hand, rel=1e-9)


def test_simulated_answers_have_the_models_frequencies_and_shares() -> None:
    model = true_model(TASTE)
    worker, dealt = deal(np.full(8000, 3), np.random.default_rng(0))
    talks = study_of(worker, dealt, np.ones((len(worker), AXES), dtype=np.int64)).talks
    answers = model.simulate(talks, np.random.default_rng(1))
    shares = fit_honest_model(study_of(worker, dealt, answers + 1)).shares
    first = np.bincount(answers[dealt == 0, 0], minlength=5) / (dealt == 0).sum()
    assert first == pytest.approx(model.probabilities()[0, 0], abs=0.025)
    assert (shares.leniency, shares.taste, shares.halo) == pytest.approx(
        (model.shares.leniency, model.shares.taste, model.shares.halo), abs=0.02
    )


def test_a_model_that_the_study_does_not_have_is_refused() -> None:
    with pytest.raises(ValueError, match="model 8; the study has models 0 to 7"):
        true_model(SCENARIOS[0]).same_answers([8])


# --- Fitting ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("scenario", [*SCENARIOS, TASTE], ids=lambda each: each.name)
def test_the_fitted_probability_is_that_of_the_workers_who_were_drawn(scenario: Scenario) -> None:
    model = fit_honest_model(honest_study(scenario, np.full(4000, 4), seed=3))
    for talks, tolerance in ((1, 0.05), (3, 0.2), (10, 0.5)):
        fitted = mean_over_designs(model, talks, Reading.EVERYWHERE)
        assert fitted == pytest.approx(
            mean_over_designs(true_model(scenario), talks, Reading.EVERYWHERE), rel=tolerance
        )


@pytest.mark.parametrize("scenario", SCENARIOS[:3], ids=lambda each: each.name)
def test_straight_liners_hardly_move_the_fit(scenario: Scenario) -> None:
    rng = np.random.default_rng(7)
    worker, dealt = deal(np.full(600, 5), rng)
    ratings = scenario.rate(worker, dealt, rng)
    before = fit_honest_model(study_of(worker, dealt, ratings)).same_answers([0, 2, 4, 6])
    bad = rng.random(600) < 0.1
    ratings = np.where(bad[worker][:, None], rng.integers(1, 5, size=600)[worker][:, None], ratings)
    model = fit_honest_model(study_of(worker, dealt, ratings))
    assert model.same_answers([0, 2, 4, 6]) == pytest.approx(before, rel=0.35)
    assert bad[model.left_out].sum() > 0.7 * bad.sum()
    assert (~bad[model.left_out]).sum() <= 2


def test_even_many_straight_liners_do_not_vouch_for_each_other() -> None:
    """Fitted with all of them at first, the model would find most of them plausible, and keep them."""
    rng = np.random.default_rng(0)
    worker, dealt = deal(np.full(300, 4), rng)
    bad = rng.random(300) < 0.3
    value = rng.integers(1, 6, size=300)[worker][:, None]
    ratings = np.where(bad[worker][:, None], value, SCENARIOS[0].rate(worker, dealt, rng))
    model = fit_honest_model(study_of(worker, dealt, ratings))
    assert bad[model.left_out].sum() > 0.95 * bad.sum()
    assert model.shares.leniency == pytest.approx(true_model(SCENARIOS[0]).shares.leniency, abs=0.1)


def test_honest_workers_at_a_ceiling_stay_in_the_fit() -> None:
    study = honest_study(SCENARIOS[2], np.full(600, 4), seed=2)
    assert (repeated_pattern(study.talks) >= 0).sum() > 20
    assert len(fit_honest_model(study).left_out) == 0


def test_a_study_of_the_papers_size_gives_the_right_order_of_magnitude() -> None:
    expected = mean_over_designs(true_model(SCENARIOS[0]), 3, Reading.EVERYWHERE)
    for seed in range(5):
        load = paper_load(np.random.default_rng(seed))
        model = fit_honest_model(honest_study(SCENARIOS[0], load, seed))
        assert expected / 6 < mean_over_designs(model, 3, Reading.EVERYWHERE) < expected * 6


def test_pairs_of_ratings_at_a_ceiling_give_the_share_behind_them() -> None:
    """Where correlations of the ratings shrink, the pairwise likelihood does not."""
    rng = np.random.default_rng(0)
    common = rng.standard_normal((100_000, 1))
    score = np.sqrt(0.5) * common + np.sqrt(0.5) * rng.standard_normal((100_000, 2))
    probability = np.array([0.01, 0.02, 0.05, 0.12, 0.8])
    cuts = cuts_of(probability)
    answer = np.searchsorted(cuts[1:-1], score)
    pairs = np.zeros((10, 10))
    np.add.at(pairs, (answer[:, 0], 5 + answer[:, 1]), 1)
    share = fitted_share(np.stack([cuts, cuts]), pairs + pairs.T, ~np.eye(2, dtype=bool))
    assert share == pytest.approx(0.5, abs=0.01)
    assert np.corrcoef(answer.T)[0, 1] < 0.42


def test_pair_probabilities_are_those_of_the_bivariate_normal() -> None:
    pairs = pair_probabilities(cuts_of(np.array([[0.5, 0.5]])), 0.5)
    assert pairs[1, 1] == pytest.approx(0.25 + np.arcsin(0.5) / (2 * np.pi), abs=1e-9)


def test_small_cells_lean_on_their_axis() -> None:
    counts = np.zeros((2, 1, 5))
    counts[0, 0] = [10, 20, 40, 20, 10]
    counts[1, 0, 4] = 1
    cell = smoothed(counts)[1, 0]
    assert cell.sum() == pytest.approx(1)
    assert 0.16 < cell[4] < 0.4 and cell[2] > cell[1] > 0


def test_no_ratings_cannot_be_fitted() -> None:
    nothing = np.zeros(0, dtype=np.int64)
    with pytest.raises(ValueError, match="no ratings"):
        fit_honest_model(StudyRatings(nothing, nothing, nothing, nothing, nothing))


def test_a_study_of_straight_liners_alone_is_fitted_all_the_same() -> None:
    worker = np.repeat(np.arange(5), 4)
    ratings = np.repeat((worker % 5 + 1)[:, None], AXES, axis=1)
    assert np.isfinite(fit_honest_model(study_of(worker, worker % MODELS, ratings)).cuts[..., 1:-1]).all()


def test_one_axis_alone_is_fitted() -> None:
    study = honest_study(SCENARIOS[0], np.full(300, 4), seed=1)
    kept = study.axis == 0
    one = StudyRatings(
        *(column[kept] for column in (study.worker, study.talk, study.model, study.axis, study.score))
    )
    shares = fit_honest_model(one).shares
    assert 0.05 < shares.leniency < 0.5 and shares.taste == shares.halo == 0


# --- What comes in ----------------------------------------------------------------------------------------------

GOOD = {"worker": [0, 0], "talk": [0, 1], "model": [0, 1], "axis": [0, 0], "score": [1, 5]}


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"score": [1]}, "expected one entry a rating"),
        ({"score": [1.0, 2.5]}, "expected whole numbers"),
        ({"score": [1, 6]}, "scores from 1 to 6; the scale goes from 1 to 5"),
        ({"axis": [-1, 0]}, "number them from 0"),
        ({"talk": [0, 0]}, "rated twice on one axis"),
        ({"talk": [0, 0], "axis": [0, 1]}, "two workers or two models"),
    ],
)
def test_ratings_that_do_not_fit_together_are_refused(wrong: dict[str, list[float]], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        StudyRatings(**{name: np.array(column) for name, column in (GOOD | wrong).items()})


def test_patterns_tell_one_value_from_several_that_repeat() -> None:
    rows = {0: [3, 3, 3, 3], 1: [4, 3, 2, 5], 2: [4, 3, 2, 5], 3: [2, 2, 2, 2]}
    talks = {0: 3, 1: 3, 2: 3, 3: 2}
    worker = np.repeat(list(talks), list(talks.values()))
    ratings = np.array([rows[each] for each in worker])
    ratings[8, 1] = 4  # worker 2 deviates once
    found = repeated_pattern(study_of(worker, np.zeros_like(worker), ratings).talks)
    assert found.tolist() == [2, 5, -1, -1]


def test_another_scale_is_counted_from_its_own_low_end() -> None:
    scores = np.array([0, 10, 7])
    zero = np.zeros(3, dtype=np.int64)
    study = StudyRatings(zero, np.arange(3), zero, zero, scores, low=0, high=10)
    assert study.talks.answers.ravel().tolist() == [0, 10, 7] and study.talks.values == 11


def test_the_reference_grid_of_all_answers_is_met() -> None:
    """Two axes with leniency, taste and halo: against a plain sum over all answers and a grid of all effects."""
    probability = np.array([[[0.2, 0.5, 0.3], [0.4, 0.4, 0.2]], [[0.1, 0.5, 0.4], [0.3, 0.3, 0.4]]])
    model = HonestModel(cuts_of(probability), Shares(0.3, 0.1, 0.25))
    point = np.linspace(-4.5, 4.5, 19)
    weight = np.exp(-(point**2) / 2)
    weight /= weight.sum()

    def chance(m: int, axis: int, value: int, score: float) -> float:
        upper, lower = model.cuts[m, axis, value + 1] - score, model.cuts[m, axis, value] - score
        return float(ndtr(upper / np.sqrt(0.35)) - ndtr(lower / np.sqrt(0.35)))

    table = np.zeros((2, 2, 3, 61))  # by model, axis, value and the whole known score
    place = np.linspace(-6, 6, 61)
    for m, axis, value in product(range(2), range(2), range(3)):
        table[m, axis, value] = [chance(m, axis, value, score) for score in place]
    total = 0.0
    for (u, wu), (b0, w0), (b1, w1) in product(zip(point, weight, strict=True), repeat=3):
        base = np.sqrt(0.3) * u + np.sqrt(0.1) * np.array([b0, b1])
        talk = np.ones((3, 3))
        for m in (0, 1, 1):
            given = [
                [np.interp(base[axis] + 0.5 * point, place, table[m, axis, value]) for value in range(3)]
                for axis in range(2)
            ]
            talk *= np.einsum("h,vh,wh->vw", weight, *map(np.array, given))
        total += wu * w0 * w1 * float(talk.sum())
    assert model.same_answers([0, 1, 1], Reading.EACH_TALK) == pytest.approx(total, rel=0.01)
