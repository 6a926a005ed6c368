"""Annotators one by one: values worked out by hand, and agreement computed again without each."""

from __future__ import annotations

import numpy as np
import pytest

from analysis.statistics import annotators
from analysis.statistics.agreement import Metric, krippendorff_alpha, value_counts
from analysis.statistics.annotators import annotator_pairs, each_annotator, majority


def drawn(people: int = 6, units: int = 40, values: int = 4) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Annotator, unit and value of judgements by two to all annotators a unit, who mostly agree."""
    draw = np.random.default_rng(4)
    asked = draw.random((people, units)) < 0.6
    annotator, unit = np.nonzero(asked)
    truth = draw.integers(0, values, units)
    value = np.where(draw.random(len(unit)) < 0.7, truth[unit], draw.integers(0, values, len(unit)))
    return annotator, unit, value


def test_two_annotators_by_hand() -> None:
    # On four shared units: yes-yes, yes-no, no-no, no-no. Agreement 3/4, chance 1/2 * 1/4 + 1/2 * 3/4 = 1/2, kappa 1/2.
    annotator = np.array([0, 0, 0, 0, 1, 1, 1, 1, 0, 2])
    unit = np.array([0, 1, 2, 3, 0, 1, 2, 3, 4, 4])
    found = annotator_pairs(annotator, unit, np.array([1, 1, 0, 0, 1, 0, 0, 0, 1, 1]))
    assert list(zip(found.first.tolist(), found.second.tolist(), strict=True)) == [(0, 1), (0, 2)]
    assert (found.units.tolist(), found.agreeing.tolist()) == ([4, 1], [0.75, 1.0])
    assert found.kappa[0] == pytest.approx(0.5) and np.isnan(found.kappa[1])


def test_nobody_to_compare_with() -> None:
    nothing = np.zeros(0, dtype=np.int64)
    assert len(annotator_pairs(nothing, nothing, nothing).first) == 0


@pytest.mark.parametrize("metric", Metric)
@pytest.mark.parametrize("at_once", [1, annotators.AT_ONCE])
def test_alpha_without_each_is_alpha_of_what_is_left(
    metric: Metric, at_once: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(annotators, "AT_ONCE", at_once)
    annotator, unit, value = drawn()
    places = np.array([1.0, 2.0, 4.0, 7.0])
    found = each_annotator(annotator, unit, value, metric, places)
    for person in range(6):
        left = annotator != person
        counts = value_counts(unit[left], value[left], 40, 4)
        alone = krippendorff_alpha(counts, metric, places, replicates=1).value
        assert found.alpha_without[person] == pytest.approx(alone, abs=1e-12)


def test_agreement_with_others_is_that_of_all_pairs_with_them() -> None:
    annotator, unit, value = drawn()
    found = each_annotator(annotator, unit, value, Metric.NOMINAL, np.arange(4.0))
    for person in range(6):
        mine = dict(zip(unit[annotator == person].tolist(), value[annotator == person].tolist(), strict=True))
        others = [(u, v) for a, u, v in zip(annotator, unit, value, strict=True) if a != person and u in mine]
        assert found.agreeing[person] == pytest.approx(np.mean([mine[u] == v for u, v in others]))
        assert found.judged[person] == len(mine)
        assert found.compared[person] == len({u for u, _ in others})


def test_who_is_never_beside_another_agrees_with_nobody() -> None:
    one, two, zero = np.array([0, 1, 2]), np.array([0, 0, 1]), np.zeros(3, dtype=np.int64)
    found = each_annotator(one, two, zero, Metric.NOMINAL, np.arange(2.0))
    assert found.compared.tolist() == [1, 1, 0]
    assert found.agreeing[0] == 1 and np.isnan(found.agreeing[2])
    assert np.isnan(found.alpha_without).all()


def test_too_many_values_to_leave_each_out_give_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(annotators, "MOST_COINCIDENCES", 10)
    found = each_annotator(*drawn(), Metric.NOMINAL, np.arange(4.0))
    assert np.isnan(found.alpha_without).all() and not np.isnan(found.agreeing).any()


def test_a_majority_is_alone_at_the_top() -> None:
    assert majority(np.array([[2.0, 1, 0], [1, 1, 0], [0, 0, 3], [1, 1, 1]])).tolist() == [0, -1, 2, -1]
