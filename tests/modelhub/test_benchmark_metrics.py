"""hits@k, MRR and the clustered standard error against values made otherwise."""

from __future__ import annotations

import numpy as np
import pytest

from analysis.statistics import means
from modelhub.benchmarks.bootstrap import _resampled, difference_by_dialogue
from modelhub.benchmarks.metrics import clustered_error, grouped, metrics


def test_hits_and_mrr_are_those_worked_out_by_hand() -> None:
    found = metrics([[1, 2], [5, 6], [10, 11, 1]])
    assert found.hits_at_1 == pytest.approx(2 / 7)
    assert found.hits_at_5 == pytest.approx(4 / 7)
    assert found.hits_at_10 == pytest.approx(6 / 7)
    assert found.mrr == pytest.approx((1 + 1 / 2 + 1 / 5 + 1 / 6 + 1 / 10 + 1 / 11 + 1) / 7)


def test_the_error_is_that_worked_out_by_hand() -> None:
    # Two dialogues: 2 of 2 and 0 of 1. The mean is 2/3; e is 2/3 and -2/3, h is 1/3 and 2/3.
    variance = ((2 / 3) ** 2 / (1 / 3) + (2 / 3) ** 2 / (2 / 3)) / 3**2
    assert clustered_error([2, 0], [2, 1]) == pytest.approx(variance**0.5)


def test_the_error_is_that_of_table_7_with_dialogues_for_workers() -> None:
    rng = np.random.default_rng(1)
    counts = rng.integers(1, 9, size=60)
    totals = np.array([rng.binomial(count, rng.uniform(0.2, 0.6)) for count in counts])
    shaped = {"count": counts, "total": totals, "squares": totals}
    table = means.WorkerTable(
        **{name: values.reshape(-1, 1, 1).astype(float) for name, values in shaped.items()}
    )
    assert clustered_error(totals, counts) == pytest.approx(float(means.summarise(table).error[0, 0]))


def test_dialogues_of_one_question_have_the_errors_of_independent_draws() -> None:
    hits = [1] * 30 + [0] * 70
    assert clustered_error(hits, [1] * 100) == pytest.approx(np.std(hits, ddof=1) / 10)


def test_utterances_that_agree_within_dialogues_are_worth_less() -> None:
    apart = metrics([[1, 2]] * 20 + [[2, 1]] * 20)
    together = metrics([[1, 1]] * 20 + [[2, 2]] * 20)
    assert apart.standard_error == 0
    assert together.standard_error == pytest.approx(clustered_error([1] * 20 + [0] * 20, [1] * 40))


def test_one_dialogue_has_no_error() -> None:
    assert metrics([[1, 2, 3]]).standard_error is None


def test_values_are_grouped_in_the_order_of_their_keys() -> None:
    assert grouped(["b", "a", "b"], [1, 2, 3]) == [[1, 3], [2]]


def test_resamples_drawn_in_parts_are_those_drawn_at_once(monkeypatch) -> None:
    gains, counts = np.array([1.0, -1.0, 0.0, 2.0, 1.0]), np.array([2.0, 1.0, 3.0, 2.0, 4.0])
    whole = difference_by_dialogue([(gains, counts)], seed=3, resamples=1000)
    monkeypatch.setattr("modelhub.benchmarks.bootstrap.PICKED_AT_ONCE", 70)
    assert len(_resampled(gains, counts, np.random.default_rng(1), 1000)) == 1000
    assert difference_by_dialogue([(gains, counts)], seed=3, resamples=1000) == whole
    assert whole.value == pytest.approx(3 / 12)
