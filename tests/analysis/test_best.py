"""Comparisons with the best: the integral against scipy and one-dimensional integrals, the limits by hand."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from scipy import integrate, stats

from analysis.statistics import best, mixed
from analysis.statistics.differences import Untested
from analysis.statistics.means import WorkerTable
from tests.analysis.slow_statistics import drawn, given


def equal(q: int, correlation: float) -> np.ndarray:
    return np.full((q, q), correlation) + (1 - correlation) * np.eye(q)


def below_by_one_integral(d: float, q: int) -> float:
    """P(all <= d) of q normals with correlations of a half, which share one normal of the same size."""
    return float(
        integrate.quad(
            lambda z: stats.norm.pdf(z) * stats.norm.cdf(np.sqrt(2) * d + z) ** q, -9, 9, epsabs=1e-12
        )[0]
    )


def random_correlation(seed: int, q: int = 5) -> np.ndarray:
    parts = np.random.default_rng(seed).normal(size=(q, 2 * q))
    covariance = parts @ parts.T
    return covariance / np.sqrt(np.outer(np.diag(covariance), np.diag(covariance)))


@pytest.mark.parametrize(("q", "d"), [(2, 1.9), (7, 2.3), (12, 0.5)])
def test_equal_correlations_are_one_integral(q: int, d: float) -> None:
    assert best.probability_below(d, equal(q, 0.5)) == pytest.approx(below_by_one_integral(d, q), abs=1e-4)


@pytest.mark.parametrize("seed", range(3))
def test_any_correlation_is_scipys(seed: int) -> None:
    correlation = random_correlation(seed)
    normal = stats.multivariate_normal(cov=correlation, maxpts=10**5, abseps=1e-5, seed=1)
    assert best.probability_below(1.8, correlation) == pytest.approx(normal.cdf(np.full(5, 1.8)), abs=1e-4)
    student = stats.multivariate_t(shape=correlation, df=7, seed=1)
    expected = student.cdf(np.full(5, 1.8), maxpts=10**5, random_state=1)
    assert best.probability_below(1.8, correlation, 7) == pytest.approx(expected, abs=2e-4)


@pytest.mark.parametrize(
    ("q", "df", "printed"),
    [(1, 8, 1.86), (2, np.inf, 1.92), (3, 10, 2.34), (5, np.inf, 2.23), (9, np.inf, 2.42)],
)
def test_critical_values_are_those_of_dunnetts_tables(q: int, df: float, printed: float) -> None:
    assert best.critical_value(equal(q, 0.5), df) == pytest.approx(printed, abs=0.0055)


def test_of_two_models_the_limits_are_one_sided_students() -> None:
    fitted = mixed.fit(drawn(1, models=2).table())
    found, pair = best.compare_with_best(fitted), mixed.differences(fitted)
    d = stats.t.ppf(0.95, pair.df[0, 0])
    reach, ahead = d * pair.error[0, 0], pair.estimate[0, 0]
    assert found.critical[:, 0] == pytest.approx([d, d])
    assert found.high[:, 0] == pytest.approx([max(0, ahead + reach), max(0, -ahead + reach)])
    assert found.low[:, 0] == pytest.approx([min(0, ahead - reach), min(0, -ahead - reach)])


def test_a_clear_winner_is_the_only_one_possible() -> None:
    ratings = given(*({0: [1 + w % 2], 1: [4 + w % 2], 2: [2 - w % 2]} for w in range(12)), models=3)
    found = best.compare_with_best(mixed.fit(ratings.table()))
    assert found.possible[:, 0].tolist() == [False, True, False]
    assert found.low[1, 0] == 0 and found.high[1, 0] > 0
    assert found.high[0, 0] == 0 and found.low[0, 0] < -2


def test_limits_are_constrained_by_the_others() -> None:
    # Slowly: hi = max(0, min_j (d_ij + c_i s_ij)); lo over those j that can be the best, by their own critical value.
    fitted = mixed.fit(drawn(5, workers=20, models=4, n=160).table())
    found, contrast = best.compare_with_best(fitted), fitted[0].contrasts
    c = found.critical[:, 0]
    for i in range(4):
        pair = {j: contrast((np.eye(4)[i] - np.eye(4)[j])[None]) for j in range(4) if j != i}
        high = max(0, min(p.estimate[0] + c[i] * p.error[0] for p in pair.values()))
        lows = [p.estimate[0] - c[j] * p.error[0] for j, p in pair.items() if found.possible[j, 0]]
        assert found.high[i, 0] == pytest.approx(high)
        assert found.low[i, 0] == pytest.approx(min(0, *lows) if lows else 0)


def test_known_errors_give_narrower_limits() -> None:
    fitted = mixed.fit(drawn(5, workers=6, models=3, n=40).table())
    small, large = (best.compare_with_best(fitted, small=small).critical for small in (True, False))
    assert (small > large + 0.01).all()


def test_the_true_best_is_kept_as_often_as_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    # Four alike models, of which one is called the best: 95 % of 300 studies keep it, within three errors.
    monkeypatch.setattr(best, "POINTS", 256)
    kept = [best.compare_with_best(mixed.fit(alike(seed))).possible[0, 0] for seed in range(300)]
    assert abs(np.mean(kept) - 0.95) < 3 * (0.95 * 0.05 / 300) ** 0.5


def alike(seed: int) -> WorkerTable:
    """Ratings of four models that are equally good by 25 workers who differ."""
    ratings, draw = drawn(seed, workers=25, models=4, n=100), np.random.default_rng(1000 + seed)
    score = 3 + draw.normal(0, 0.7, 25)[ratings.worker] + draw.normal(0, 1, 100)
    return dataclasses.replace(ratings, score=score).table()


def test_without_a_mixed_model_nothing_is_possible() -> None:
    fitted = mixed.fit(given({0: [1, 2], 1: [3]}).table())
    found = best.compare_with_best(fitted)
    assert fitted[0].untested == Untested.ONE_WORKER
    assert np.isnan(found.high).all() and not found.possible.any()


def test_a_model_without_ratings_takes_no_part() -> None:
    ratings = drawn(1, models=2)
    wider = dataclasses.replace(ratings, shape=(12, 3, 1))
    found, expected = (best.compare_with_best(mixed.fit(each.table())) for each in (wider, ratings))
    assert np.isnan(found.high[2, 0]) and not found.possible[2, 0]
    np.testing.assert_allclose(found.high[:2], expected.high)
