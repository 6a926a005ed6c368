"""Intervals by name: the right way for each, and a reason where there is none."""

from __future__ import annotations

import numpy as np
import pytest

from analysis.statistics.bootstrap import bootstrap_means, percentile
from analysis.statistics.interval_methods import IntervalOptions, Method, intervals
from analysis.statistics.means import Gap, Scale, bold, summarise, t_cr2, t_plain, wilson_cr2
from tests.analysis.slow_statistics import drawn, given

TABLE = drawn(3, n=80).table()
CELLS = summarise(TABLE)
EXPECTED = {
    Method.WILSON_CR2: wilson_cr2(CELLS, Scale(0, 6), 0.9),
    Method.T: t_plain(CELLS, 0.9),
    Method.CR2_T: t_cr2(CELLS, 0.9),
    Method.BOOTSTRAP: percentile(bootstrap_means(TABLE, 70, 4), 0.9),
}


@pytest.mark.parametrize("method", Method)
def test_each_name_is_its_own_way_with_all_that_was_asked_for(method: Method) -> None:
    options = IntervalOptions(method, Scale(0, 6), level=0.9, seed=4, replicates=70)
    found, gap = intervals(TABLE, CELLS, options)
    np.testing.assert_array_equal(found.low, EXPECTED[method].low)
    np.testing.assert_array_equal(found.high, EXPECTED[method].high)
    assert (gap == Gap.NONE).all()


@pytest.mark.parametrize("method", Method)
def test_one_worker_has_no_interval_by_any_way(method: Method) -> None:
    table = given({0: [2, 3], 1: [1]}, {1: [4]}).table()
    found, gap = intervals(table, summarise(table), IntervalOptions(method, replicates=50))
    assert np.isnan(found.low[0, 0]) and gap[0, 0] == Gap.ONE_WORKER
    assert found.low[1, 0] < found.high[1, 0] and gap[1, 0] == Gap.NONE


def test_a_bootstrap_whose_draws_all_agree_says_so() -> None:
    table = given({0: [3], 1: [4, 4]}, {0: [3], 1: [2]}).table()
    found, gap = intervals(table, summarise(table), IntervalOptions(Method.BOOTSTRAP, replicates=50))
    assert np.isnan(found.low[0, 0]) and gap[0, 0] == Gap.NO_SPREAD
    assert gap[1, 0] == Gap.NONE


def test_a_mean_without_an_interval_is_no_measure_for_bold() -> None:
    table = given({0: [5], 1: [4, 3], 2: [1]}, {0: [5], 1: [2, 4]}, {0: [5], 2: [1, 2]}, models=3).table()
    cells = summarise(table)
    found, _ = intervals(table, cells, IntervalOptions(Method.BOOTSTRAP, replicates=50))
    assert bold(cells, found)[:, 0].tolist() == [False, True, False]


@pytest.mark.parametrize(
    ("options", "what"),
    [
        ({"level": 95}, "level is 95; a confidence level is from 0.5 to 0.9999, such as 0.95"),
        ({"level": 0.05}, "level is 0.05; a confidence level is from 0.5 to 0.9999"),
        ({"level": 1 - 1e-16}, "a confidence level is from 0.5 to 0.9999"),
        ({"level": float("nan")}, "level is nan; a confidence level is from 0.5 to 0.9999"),
        ({"replicates": 0}, "replicates is 0; a bootstrap draws at least 1 and at most 100,000"),
        ({"replicates": 10**12}, "a bootstrap draws at least 1 and at most 100,000"),
        ({"seed": -1}, "seed is -1; a seed is a whole number from 0"),
    ],
)
def test_options_that_make_no_sense_are_refused(options: dict[str, object], what: str) -> None:
    with pytest.raises(ValueError, match=what):
        IntervalOptions(**options)
