"""Who rates unlike the others: the figures by hand, their probabilities against honest workers, and their limits."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from ratings.quality.honest import fit_honest_model
from ratings.quality.random_rating import likeness, others_means
from tests.ratings.honest_workers import AXES, SCENARIOS, deal, honest_study, study_of

MID_SCALE = SCENARIOS[0]


def test_others_means_leave_the_workers_own_ratings_out() -> None:
    study = study_of(np.array([0, 1, 2, 2]), np.array([0, 0, 0, 1]), np.array([[1], [3], [5], [2]]))
    found = others_means(study.talks)[:, 0]
    assert found[:3].tolist() == [3, 2, 1], "in values from 0: of 3 and 5, 1 and 5, 1 and 3"
    assert np.isnan(found[3]), "nobody else rated the model"


def test_the_correlation_is_pearsons_with_the_others_means() -> None:
    study = honest_study(MID_SCALE, np.full(60, 5), seed=0)
    theirs = likeness(study, fit_honest_model(study))[17]
    rows = study.talks.worker == 17
    by_hand = stats.pearsonr(study.talks.answers[rows].ravel(), others_means(study.talks)[rows].ravel())
    assert theirs.worker == 17 and theirs.correlation == pytest.approx(by_hand.statistic)


def test_probabilities_of_honest_workers_are_evenly_spread() -> None:
    """One in ten is below a tenth: what the probabilities promise."""
    nulls: list[tuple[float, float]] = []
    for seed in range(4):
        study = honest_study(MID_SCALE, np.full(150, 5), seed)
        nulls += [
            (each.agreement_null, each.misfit_null) for each in likeness(study, fit_honest_model(study))
        ]
    below = (np.array(nulls) <= 0.1).sum(axis=0)
    for count in below:
        assert stats.binomtest(int(count), len(nulls), 0.1).pvalue > 0.001


def test_random_raters_scatter_more_and_are_still_not_all_seen() -> None:
    rng = np.random.default_rng(6)
    worker, model = deal(np.full(200, 8), rng)
    ratings = MID_SCALE.rate(worker, model, rng)
    ratings[worker < 20] = rng.integers(1, 6, size=(160, AXES))
    found = likeness(study := study_of(worker, model, ratings), fit_honest_model(study))
    seen = [each.misfit_null <= 0.01 for each in found[:20]]
    assert 2 <= sum(seen) < 20
    assert np.mean([each.misfit for each in found[:20]]) > 1.3 * np.mean([each.misfit for each in found[20:]])


def test_who_gives_one_answer_has_no_correlation_and_no_low_probability() -> None:
    study = honest_study(MID_SCALE, np.full(60, 3), seed=1)
    one = replace(study, score=np.where(study.worker == 7, 4, study.score))
    found = likeness(one, fit_honest_model(one))[7]
    assert found.worker == 7 and np.isnan(found.correlation) and found.agreement_null == 1


def test_nobody_is_judged_by_two_talks() -> None:
    study = honest_study(MID_SCALE, np.array([3, 2, 4, 1]), seed=1)
    assert [each.worker for each in likeness(study, fit_honest_model(study))] == [0, 2]


def test_the_same_ratings_give_the_same_probabilities() -> None:
    study = honest_study(MID_SCALE, np.full(60, 4), seed=2)
    model = fit_honest_model(study)
    assert likeness(study, model) == likeness(study, model)
