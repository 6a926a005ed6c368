"""Covariates: against whole matrices, effects that were put in, and what is left out."""

from __future__ import annotations

import numpy as np
import pytest

from analysis.errors import NotEstimable
from analysis.statistics.covariates import Factor, Left, Number, covariate_effects, doublings
from tests.analysis.slow_statistics import cr2_by_definition, drawn

SOURCES = ("convai2", "wow", "ed")


def covariates(seed: int, n: int) -> tuple[Factor, Number]:
    draw = np.random.default_rng(100 + seed)
    return (
        Factor("source", SOURCES, draw.integers(0, 3, n)),
        Number("turns", "one turn more", draw.integers(5, 15, n).astype(float)),
    )


def test_effects_follow_the_definition() -> None:
    ratings = drawn(1)
    source, turns = covariates(1, 60)
    found = covariate_effects(ratings.score, ratings.model, ratings.worker, [source, turns], 3)
    dummies = [(source.code == 1).astype(float), (source.code == 2).astype(float)]
    design = np.column_stack([ratings.design(), *dummies, turns.value])
    for effect, weights in zip(found.effects, np.eye(6)[3:], strict=True):
        expected = cr2_by_definition(design, ratings.score, ratings.worker, weights)
        assert (effect.estimate, effect.error, effect.df) == pytest.approx(expected, rel=1e-7)


def test_effects_are_named_and_have_limits() -> None:
    ratings = drawn(1)
    found = covariate_effects(ratings.score, ratings.model, ratings.worker, covariates(1, 60), 3)
    assert [(e.name, e.level, e.against) for e in found.effects] == [
        ("source", "wow", "convai2"),
        ("source", "ed", "convai2"),
        ("turns", "one turn more", ""),
    ]
    assert all(e.low < e.estimate < e.high and 0 < e.p < 1 and not e.left for e in found.effects)


def test_an_effect_that_was_put_in_is_found() -> None:
    ratings = drawn(8, workers=150, n=3000)
    source, turns = covariates(8, 3000)
    score = ratings.score + 0.4 * (source.code == 2) - 0.1 * turns.value
    found = covariate_effects(score, ratings.model, ratings.worker, [source, turns], 3)
    wow, ed, turn = found.effects
    assert wow.low < 0 < wow.high and ed.low < 0.4 < ed.high and turn.low < -0.1 < turn.high
    assert turn.p < 1e-6


def test_means_are_those_at_average_covariates() -> None:
    ratings = drawn(3)
    source, turns = covariates(3, 60)
    found = covariate_effects(ratings.score, ratings.model, ratings.worker, [source, turns], 3)
    slopes = np.array([e.estimate for e in found.effects])
    columns = np.column_stack([source.code == 1, source.code == 2, turns.value])
    less = ratings.score - (columns - columns.mean(axis=0)) @ slopes
    for model in range(3):
        assert found.means.estimate[model] == pytest.approx(less[ratings.model == model].mean())


def test_ratings_whose_covariates_are_not_known_take_no_part() -> None:
    ratings = drawn(4)
    source, turns = covariates(4, 60)
    source.code[:3], turns.value[57:] = -1, np.nan
    found = covariate_effects(ratings.score, ratings.model, ratings.worker, [source, turns], 3)
    part = slice(3, 57)
    again = covariate_effects(
        ratings.score[part],
        ratings.model[part],
        ratings.worker[part],
        [Factor("source", SOURCES, source.code[part]), Number("turns", "", turns.value[part])],
        3,
    )
    assert (found.ratings, found.unknown) == (54, 6)
    assert [e.estimate for e in found.effects] == pytest.approx([e.estimate for e in again.effects])


def test_what_does_not_vary_is_left_out_and_says_so() -> None:
    ratings = drawn(5)
    source = Factor("source", SOURCES, np.random.default_rng(5).integers(0, 2, 60))
    turns = Number("turns", "one turn more", np.full(60, 7.0))
    found = covariate_effects(ratings.score, ratings.model, ratings.worker, [source, turns], 3)
    assert [e.left for e in found.effects] == [Left.NONE, Left.NO_VARIATION, Left.NO_VARIATION]
    assert np.isnan(found.effects[1].estimate) and not np.isnan(found.effects[0].error)


def test_the_baseline_is_the_first_level_with_ratings() -> None:
    ratings = drawn(1)
    code = np.random.default_rng(5).integers(1, 3, 60)
    some, all_of = (
        covariate_effects(ratings.score, ratings.model, ratings.worker, [Factor("source", levels, codes)], 3)
        for levels, codes in ((SOURCES, code), (SOURCES[1:], code - 1))
    )
    assert [(e.level, e.against, e.left) for e in some.effects] == [
        (SOURCES[0], SOURCES[1], Left.NO_VARIATION),
        (SOURCES[2], SOURCES[1], Left.NONE),
    ]
    assert some.effects[1] == all_of.effects[0]


def test_a_model_without_ratings_has_no_mean() -> None:
    ratings = drawn(6)
    found = covariate_effects(ratings.score, ratings.model * 2, ratings.worker, covariates(6, 60), 6)
    assert np.isnan(found.means.estimate).tolist() == [False, True, False, True, False, True]


def test_a_covariate_that_is_the_model_is_refused() -> None:
    ratings = drawn(7)
    tied = Number("reply time", "twice the time", (ratings.model == 1).astype(float))
    with pytest.raises(NotEstimable, match=r"reply time \(twice the time\) cannot be told from what"):
        covariate_effects(ratings.score, ratings.model, ratings.worker, [tied], 3)


def test_no_ratings_are_refused() -> None:
    nothing = np.zeros(0, dtype=np.int64)
    with pytest.raises(NotEstimable, match="0 ratings"):
        covariate_effects(nothing.astype(float), nothing, nothing, [], 3)


def test_twice_the_time_is_one_more() -> None:
    assert doublings(np.array([1.0, 2.0, 8.0])).tolist() == [0, 1, 3]
    assert np.isnan(doublings(np.array([0.0, -1.0, np.nan]))).all()
