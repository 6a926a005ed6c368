"""Agreement: published examples, values worked out by hand, and bootstraps drawn unit by unit."""

from __future__ import annotations

import numpy as np
import pytest

from analysis.statistics import mixed, reml
from analysis.statistics.agreement import (
    Metric,
    NoAgreement,
    fleiss_kappa,
    krippendorff_alpha,
    pairwise_agreement,
    value_counts,
    worker_share,
)
from analysis.statistics.bootstrap import draws
from analysis.statistics.differences import Untested
from tests.analysis.slow_statistics import Ratings, drawn, given

#: Krippendorff 2011, "Computing Krippendorff's Alpha-Reliability", example C: observers by units, 0 is missing.
KRIPPENDORFF = np.array(
    [
        [1, 2, 3, 3, 2, 1, 4, 1, 2, 0, 0, 0],
        [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, 0, 3],
        [0, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, 0],
        [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, 0],
    ]
)
#: Fourteen judgements of each of ten units in five categories; kappa is .210.
FLEISS = np.array(
    [
        [0, 0, 0, 0, 14],
        [0, 2, 6, 4, 2],
        [0, 0, 3, 5, 6],
        [0, 3, 9, 2, 0],
        [2, 2, 8, 1, 1],
        [7, 7, 0, 0, 0],
        [3, 2, 6, 3, 0],
        [2, 5, 3, 2, 2],
        [6, 5, 2, 1, 0],
        [0, 2, 2, 3, 7],
    ],
    dtype=float,
)


def counted(judgements: np.ndarray) -> np.ndarray:
    """Value counts from observers by units, where 0 is missing."""
    _, unit = np.nonzero(judgements)
    return value_counts(unit, judgements[judgements > 0] - 1, judgements.shape[1], 5)


def alpha_by_definition(judgements: np.ndarray, metric: Metric) -> float:
    """One minus observed over expected disagreement, pair by pair of values (Krippendorff 2019, chapter 12)."""
    units = [column[column > 0] for column in judgements.T]
    units = [unit for unit in units if len(unit) > 1]
    pooled = np.concatenate(units)

    def far(a: int, b: int) -> float:
        if metric is Metric.NOMINAL:
            return float(a != b)
        if metric is Metric.INTERVAL:
            return float((a - b) ** 2)
        low, high = sorted((a, b))
        between = sum((pooled == v).sum() for v in range(low, high + 1))
        return float((between - ((pooled == low).sum() + (pooled == high).sum()) / 2) ** 2)

    observed = sum(sum(far(a, b) for a in unit for b in unit) / (len(unit) - 1) for unit in units) / len(
        pooled
    )
    expected = sum(far(a, b) for a in pooled for b in pooled) / (len(pooled) * (len(pooled) - 1))
    return 1 - observed / expected


# --- Alpha --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("metric", "printed"), [(Metric.NOMINAL, 0.743), (Metric.ORDINAL, 0.815), (Metric.INTERVAL, 0.849)]
)
def test_alpha_of_krippendorffs_own_example(metric: Metric, printed: float) -> None:
    found = krippendorff_alpha(counted(KRIPPENDORFF), metric)
    assert found.value == pytest.approx(printed, abs=5e-4)
    assert (found.units, found.judgements, found.why) == (11, 40, NoAgreement.NONE)


@pytest.mark.parametrize("metric", Metric)
def test_alpha_follows_the_definition(metric: Metric) -> None:
    judgements = np.random.default_rng(1).integers(0, 6, (5, 30))
    found = krippendorff_alpha(counted(judgements), metric)
    assert found.value == pytest.approx(alpha_by_definition(judgements, metric), abs=1e-12)


def test_intervals_between_values_are_their_own() -> None:
    counts = counted(KRIPPENDORFF)
    plain, stretched = (
        krippendorff_alpha(counts, Metric.INTERVAL, v).value for v in (None, np.arange(5) * 3 + 7)
    )
    uneven = krippendorff_alpha(counts, Metric.INTERVAL, np.array([1, 2, 3, 4, 40])).value
    assert plain == pytest.approx(stretched) and plain != pytest.approx(uneven, abs=1e-3)


def test_limits_are_quantiles_over_units_drawn_again() -> None:
    counts = counted(KRIPPENDORFF)
    found = krippendorff_alpha(counts, Metric.ORDINAL, replicates=40, seed=4)
    comparable = KRIPPENDORFF[:, (KRIPPENDORFF > 0).sum(axis=0) > 1]
    again = [
        alpha_by_definition(np.repeat(comparable, times.astype(int), axis=1), Metric.ORDINAL)
        for times in draws(np.random.default_rng(4), 40, 11)
    ]
    assert (found.low, found.high) == pytest.approx(tuple(np.quantile(again, [0.025, 0.975])))


@pytest.mark.parametrize(
    ("counts", "why"),
    [
        (np.zeros((0, 3)), NoAgreement.NO_OVERLAP),
        (np.eye(3), NoAgreement.NO_OVERLAP),
        (np.array([[2, 0], [3, 0]]), NoAgreement.ONE_VALUE),
    ],
)
def test_what_cannot_be_compared_says_why(counts: np.ndarray, why: NoAgreement) -> None:
    for found in (
        krippendorff_alpha(counts, Metric.ORDINAL),
        fleiss_kappa(counts),
        pairwise_agreement(counts),
    ):
        assert found.why == why and np.isnan([found.value, found.low, found.high]).all()


def test_one_unit_has_no_limits() -> None:
    found = krippendorff_alpha(np.array([[2, 1], [1, 0]]), Metric.NOMINAL)
    assert found.why == NoAgreement.ONE_UNIT and found.units == 1
    assert not np.isnan(found.value) and np.isnan(found.low)


# --- Kappa, and pairs ---------------------------------------------------------------------------------------


def test_kappa_of_the_printed_example() -> None:
    found = fleiss_kappa(FLEISS)
    assert found.value == pytest.approx(0.210, abs=5e-4)
    assert found.low < found.value < found.high


def test_kappa_by_hand() -> None:
    # Units aa, ab, bb: agreement 2/3; both values have a half, so chance is 1/2 and kappa 1/3.
    assert fleiss_kappa(np.array([[2, 0], [1, 1], [0, 2]])).value == pytest.approx(1 / 3)


def test_agreeing_pairs_by_hand() -> None:
    # aab has one agreeing pair of three, bb one of one: two of four.
    assert pairwise_agreement(np.array([[2, 1], [0, 2], [1, 0]])).value == pytest.approx(0.5)


def test_limits_of_kappa_come_from_units_drawn_again() -> None:
    found = fleiss_kappa(FLEISS, replicates=100, seed=2)
    again = [
        fleiss_kappa(np.repeat(FLEISS, times.astype(int), axis=0), replicates=1).value
        for times in draws(np.random.default_rng(2), 100, 10)
    ]
    assert (found.low, found.high) == pytest.approx(tuple(np.quantile(again, [0.025, 0.975])))


# --- One rater a conversation -------------------------------------------------------------------------------


def test_the_share_of_workers_in_a_complete_block_is_that_of_the_analysis_of_variance() -> None:
    draw = np.random.default_rng(3)
    scores = draw.normal(0, 1, (20, 1)) + draw.normal(0, 1, (20, 4))
    apart = scores - scores.mean(axis=0) - scores.mean(axis=1, keepdims=True) + scores.mean()
    residual, between = (apart**2).sum() / (19 * 3), 4 * scores.mean(axis=1).var(ddof=1)
    worker, model = (part.ravel() for part in np.mgrid[:20, :4])
    found = worker_share(Ratings(worker, model, worker * 0, scores.ravel(), (20, 4, 1)).table())
    assert found.icc[0] == pytest.approx((between - residual) / (between + 3 * residual))


def test_limits_stand_where_the_deviance_is_3_84_above_its_lowest() -> None:
    table = drawn(4, workers=20, n=200).table()
    found = worker_share(table)
    sums = reml.sums(*(part[:, :, 0] for part in (table.count, table.total, table.squares)))
    low, best, high = (reml.at(sums, s[0] / (1 - s[0])).deviance for s in (found.low, found.icc, found.high))
    assert (low - best, high - best) == pytest.approx((3.841459, 3.841459), abs=1e-5)
    assert found.low[0] < mixed.fit(table)[0].icc < found.high[0]


def test_a_share_that_could_be_nothing_has_zero_as_its_limit() -> None:
    found = worker_share(drawn(0, n=24).table())
    assert found.low[0] == 0 < found.icc[0] < found.high[0] < 1


def test_workers_who_do_not_differ_have_a_share_of_zero() -> None:
    found = worker_share(
        given({0: [1, 5], 1: [2, 4]}, {0: [2, 4], 1: [1, 5]}, {0: [3, 3], 1: [4, 2]}).table()
    )
    assert (found.icc[0], found.low[0]) == (0, 0) and 0 < found.high[0] < 1


@pytest.mark.parametrize(
    ("workers", "why"),
    [
        (({},), Untested.NO_RATINGS),
        (({0: [1, 2], 1: [4]},), Untested.ONE_WORKER),
        (({0: [1]}, {0: [2]}, {1: [4]}, {1: [3]}), Untested.TOO_FEW_RATINGS),
    ],
)
def test_an_axis_says_why_it_has_no_share(workers, why: Untested) -> None:
    found = worker_share(given(*workers).table())
    assert found.untested[0] == why and np.isnan([found.icc[0], found.low[0], found.high[0]]).all()
