"""Intervals of precision, recall, F1 and AUC, against scipy and against slow versions of their definitions."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.special import expit, logit
from scipy.stats import binomtest, mannwhitneyu

from modelhub.safety import measures

LABELS = np.array([True] * 12 + [False] * 18)
SCORES = np.round(np.random.default_rng(4).normal(LABELS * 1.2, 1), 1)


@pytest.mark.parametrize("count, total", [(0, 9), (8, 10), (57, 140), (140, 140)])
def test_wilson_is_that_of_scipy(count: int, total: int) -> None:
    ours = measures.wilson(count, total)
    theirs = binomtest(count, total).proportion_ci(method="wilson")
    assert (ours.value, ours.lower, ours.upper) == pytest.approx((count / total, theirs.low, theirs.high))


def test_a_share_of_nothing_has_no_value() -> None:
    assert math.isnan(measures.wilson(0, 0).value)


def test_f1_is_the_harmonic_mean_of_precision_and_recall() -> None:
    found = np.array([True, True, True, False, False, True])
    labels = np.array([True, True, False, True, False, False])
    ours = measures.f1(found, labels)
    assert ours.value == pytest.approx(2 / (1 / (2 / 4) + 1 / (2 / 3)))
    assert 0 < ours.lower < ours.value < ours.upper < 1


def test_f1s_interval_holds_it_nineteen_times_in_twenty() -> None:
    rng, truth, held = np.random.default_rng(2), 2 * 0.72 / (2 * 0.72 + 0.1 + 0.18), 0
    for _ in range(600):
        kind = rng.choice(3, size=200, p=[0.72, 0.1, 0.18])  # found rightly, found wrongly, missed
        interval = measures.f1(kind != 2, kind != 1)
        held += interval.lower <= truth <= interval.upper
    assert 0.93 <= held / 600 <= 0.98


def test_auc_is_mann_and_whitneys_share_with_ties() -> None:
    theirs = mannwhitneyu(SCORES[LABELS], SCORES[~LABELS]).statistic / (12 * 18)
    assert measures.auc(SCORES, LABELS).value == pytest.approx(theirs)


def test_aucs_interval_is_delongs_in_log_odds() -> None:
    wins = np.array([[float(a > b) + float(a == b) / 2 for b in SCORES[~LABELS]] for a in SCORES[LABELS]])
    variance = np.var(wins.mean(1), ddof=1) / 12 + np.var(wins.mean(0), ddof=1) / 18
    half = 1.959964 * math.sqrt(variance) / (wins.mean() * (1 - wins.mean()))
    expected = expit(logit(wins.mean()) + np.array([-half, half]))
    ours = measures.auc(SCORES, LABELS)
    assert (ours.lower, ours.upper) == pytest.approx(tuple(expected), abs=1e-6)


def test_two_labels_parted_wholly_have_an_auc_without_interval() -> None:
    found = measures.auc(np.arange(30.0), np.arange(30) > 17)
    assert found.value == 1 and math.isnan(found.lower) and math.isnan(found.upper)
