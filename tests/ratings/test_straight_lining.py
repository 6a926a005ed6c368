"""Who gives the same ratings across all conversations, in both readings, and how likely honest workers do."""

from __future__ import annotations

import numpy as np
import pytest

from ratings.quality.honest import HonestModel, fit_honest_model
from ratings.quality.repeated_answers import Reading
from ratings.quality.straight_lining import StraightLiner, straight_liners
from ratings.quality.study_ratings import StudyRatings
from tests.ratings.honest_workers import AXES, SCENARIOS, deal, study_of

MID_SCALE, CEILING = SCENARIOS[0], SCENARIOS[2]


@pytest.fixture(scope="module")
def planted() -> tuple[StudyRatings, HonestModel]:
    """200 honest workers with four talks, and four of ours: 3 everywhere, 4-3-2-5, 3 in two talks only, 3 but once."""
    rng = np.random.default_rng(11)
    worker, model = deal(np.array([4] * 200 + [4, 4, 2, 4]), rng)
    ratings = MID_SCALE.rate(worker, model, rng)
    ratings[worker == 200] = 3
    ratings[worker == 201] = [4, 3, 2, 5]
    ratings[worker >= 202] = 3
    ratings[-1, -1] = 2
    study = study_of(worker, model, ratings)
    return study, fit_honest_model(study)


def found_by(planted: tuple[StudyRatings, HonestModel], rule: Reading) -> dict[int, StraightLiner]:
    return {each.worker: each for each in straight_liners(*planted, rule)}


def test_one_answer_everywhere_is_flagged_over_three_talks(planted: tuple[StudyRatings, HonestModel]) -> None:
    found = found_by(planted, Reading.EVERYWHERE)
    assert list(found) == [200]
    assert (found[200].talks, found[200].ratings, found[200].answers) == (4, 16, (3, 3, 3, 3))


def test_the_same_answers_each_talk_are_flagged_too(planted: tuple[StudyRatings, HonestModel]) -> None:
    found = found_by(planted, Reading.EACH_TALK)
    assert list(found) == [200, 201]
    assert found[201].answers == (4, 3, 2, 5) and found[201].value_probability is None


def test_a_flag_states_the_rules_probability_for_the_workers_own_talks(
    planted: tuple[StudyRatings, HonestModel],
) -> None:
    study, model = planted
    theirs = study.talks.model[study.talks.worker == 200].tolist()
    for rule in Reading:
        flag = found_by(planted, rule)[200]
        assert flag.null_probability == pytest.approx(model.same_answers(theirs, rule), rel=0.01)
        assert 0 < flag.null_probability < 1e-3


def test_at_a_ceiling_the_top_value_everywhere_is_likely_and_the_lowest_is_not() -> None:
    rng = np.random.default_rng(4)
    worker, model = deal(np.full(300, 3), rng)
    ratings = CEILING.rate(worker, model, rng)
    ratings[worker == 0], ratings[worker == 1] = 5, 1
    study = study_of(worker, model, ratings)
    found = {
        each.worker: each for each in straight_liners(study, fit_honest_model(study), Reading.EVERYWHERE)
    }
    assert min(found[0].null_probability, found[1].null_probability) > 0.05
    assert found[0].value_probability > 0.05 > 1e-6 > found[1].value_probability


def test_an_axis_that_was_never_rated_is_left_open() -> None:
    study = study_of(np.array([0, 0, 0, 1]), np.zeros(4, dtype=int), np.full((4, AXES), 2))
    kept = ~((study.worker == 0) & (study.axis == 1))
    part = StudyRatings(
        *(column[kept] for column in (study.worker, study.talk, study.model, study.axis, study.score))
    )
    (flag,) = straight_liners(part, fit_honest_model(part), Reading.EVERYWHERE)
    assert flag.answers == (2, None, 2, 2) and flag.ratings == 9
