"""Corrections for many tests: by hand, and Tukey's against scipy and the printed tables."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from analysis.statistics import studentized_range
from analysis.statistics.differences import Differences, Untested, benjamini_hochberg, holm, pairs

P = np.array([[0.01], [0.04], [0.03], [0.005]])


def made(estimate: list[float], df: float = 20.0, models: int = 3) -> Differences:
    """Differences of three models on one axis, with errors of 1; NaN is no test."""
    first, second = pairs(models)
    column = np.array(estimate)[:, None]
    untested = np.where(np.isnan(column), Untested.NO_RATINGS, Untested.NONE).astype(object)
    error = np.where(np.isnan(column), np.nan, 1.0)
    return Differences(first, second, column, error, error * df, untested)


def test_pairs_follow_the_order_of_the_models() -> None:
    first, second = pairs(3)
    assert list(zip(first.tolist(), second.tolist(), strict=True)) == [(0, 1), (0, 2), (1, 2)]


def test_holm_by_hand() -> None:
    # Sorted .005, .01, .03, .04 times 4, 3, 2, 1: .02, .03, .06, .04, and none below the one before it.
    assert holm(P)[:, 0] == pytest.approx([0.03, 0.06, 0.06, 0.02])


def test_benjamini_and_hochberg_by_hand() -> None:
    # Sorted times 4 / rank: .02, .02, .04, .04, and none above the one after it.
    assert benjamini_hochberg(P)[:, 0] == pytest.approx([0.02, 0.04, 0.04, 0.02])


@pytest.mark.parametrize("adjust", [holm, benjamini_hochberg])
def test_what_is_no_test_does_not_count(adjust) -> None:
    with_gap = np.insert(P, 1, np.nan, axis=0)
    found = adjust(with_gap)
    assert np.isnan(found[1, 0])
    np.testing.assert_allclose(np.delete(found, 1, axis=0), adjust(P))


@pytest.mark.parametrize("adjust", [holm, benjamini_hochberg])
def test_adjusted_values_stay_below_one_and_axes_apart(adjust) -> None:
    both = np.hstack([P, np.full_like(P, 0.9)])
    found = adjust(both)
    np.testing.assert_allclose(found[:, :1], adjust(P))
    assert (found[:, 1] <= 1).all()


def test_a_single_difference_is_students() -> None:
    found = made([2.0, -1.0, 0.5])
    assert found.p[:, 0] == pytest.approx(2 * stats.t.sf([2.0, 1.0, 0.5], 20))
    half = stats.t.ppf(0.975, 20)
    assert found.interval().low[:, 0] == pytest.approx([2 - half, -1 - half, 0.5 - half])


def test_tukey_of_two_models_is_students() -> None:
    found = made([2.0], models=2)
    assert found.tukey_p()[0, 0] == pytest.approx(2 * stats.t.sf(2.0, 20), abs=1e-11)
    assert found.tukey_interval().high[0, 0] == pytest.approx(2 + stats.t.ppf(0.975, 20), abs=1e-8)


def test_tukey_of_three_models_is_scipys() -> None:
    found = made([2.0, -3.0, 0.1])
    expected = stats.studentized_range.sf(np.sqrt(2) * np.array([2.0, 3.0, 0.1]), 3, 20)
    assert found.tukey_p()[:, 0] == pytest.approx(expected, abs=1e-9)


def test_models_without_a_test_are_no_part_of_tukeys_family() -> None:
    found = made([2.0, np.nan, np.nan])
    assert found.family.tolist() == [2]
    assert found.tukey_p()[0, 0] == pytest.approx(found.p[0, 0], abs=1e-11)
    assert np.isnan(found.tukey_p()[1:, 0]).all() and np.isnan(found.tukey_interval().low[1:, 0]).all()


@pytest.mark.parametrize(
    ("means", "df", "printed"),
    [(3, 10, 3.877), (8, 20, 4.768), (2, 5, 3.635), (10, 120, 4.560), (4, 2, 9.798)],
)
def test_critical_values_are_those_of_the_tables(means: int, df: float, printed: float) -> None:
    found = studentized_range.quantile(0.95, np.array([means]), np.array([float(df)]))
    assert found[0] == pytest.approx(printed, abs=1e-3)


@pytest.mark.parametrize(("least", "most"), [(0.97, 40.0), (2.0, 1e9), (90.0, 95.0)])
@pytest.mark.parametrize("means", [2, 8, 30])
def test_many_quantiles_at_once_are_those_one_by_one(means: int, least: float, most: float) -> None:
    df = np.geomspace(least, most, 60).reshape(15, 4)
    together = studentized_range.quantile(0.95, np.full((15, 4), means), df)
    one_by_one = [
        studentized_range.quantile(0.95, np.array([means]), np.array([each]))[0] for each in df.flat
    ]
    assert together.ravel() == pytest.approx(one_by_one, rel=1e-7)
    df[3, 1], df[4, 2] = np.nan, np.inf
    again = studentized_range.quantile(0.95, np.where(df > df[14, 2], 1, means), df)
    assert np.isnan(again[3, 1]) and np.isnan(again[14, 3]) and np.isnan(again[4, 2])
    assert again[0] == pytest.approx(together[0], rel=1e-7)


@pytest.mark.parametrize(
    ("q", "means", "df"),
    [
        *[(3.5, 8, 830.0), (4.0, 3, 5.0), (2.0, 20, 10.0), (9.0, 4, 2.0)],
        *[(6.6, 8, 4.9), (8.8, 8, 3.0), (10.0, 30, 2.9), (6.0, 3, 1.9), (45.4, 8, 1.0), (2.0, 2, 0.9)],
    ],
)
def test_chances_of_the_studentized_range_are_scipys(q: float, means: int, df: float) -> None:
    found = studentized_range.survival(np.array([q]), np.array([means]), np.array([df]))
    assert found[0] == pytest.approx(stats.studentized_range.sf(q, means, df), abs=1e-10)


@pytest.mark.parametrize("df", [1.0, 1.9, 2.0, 2.9, 3.0, 4.9, 5.0, 19.9, 20.0, 200.0])
def test_the_spread_has_as_many_points_as_it_needs_and_no_more(df: float) -> None:
    points, _ = studentized_range._spread(df)
    step, width = np.log(points[1] / points[0]), 1 / np.sqrt(2 * df)
    assert step < min(0.1, width / 2) and (step > 0.03 or len(points) == 48)


def test_with_many_degrees_of_freedom_the_spread_is_known() -> None:
    q, means = np.array([3.0]), np.array([5])
    almost, known = (studentized_range.survival(q, means, np.array([df])) for df in (9e7, 1e12))
    assert almost == pytest.approx(known, abs=1e-7)
