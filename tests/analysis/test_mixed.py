"""The mixed model: against whole matrices, the analysis of variance of balanced designs, and what cannot be told."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import optimize, stats

from analysis.statistics import mixed, reml
from analysis.statistics.differences import Untested
from analysis.statistics.means import Floats, WorkerTable
from tests.analysis.slow_statistics import Ratings, drawn, given


def fit_one(ratings: Ratings) -> mixed.MixedModel:
    (fitted,) = mixed.fit(ratings.table())
    return fitted


def deviance_by_definition(ratings: Ratings, var_worker: float, var_residual: float) -> float:
    """-2 restricted log-likelihood from the whole covariance matrix (Patterson and Thompson 1971)."""
    together = ratings.worker[:, None] == ratings.worker[None, :]
    weight = np.linalg.inv(var_residual * np.eye(len(ratings.score)) + var_worker * together)
    normal = ratings.design().T @ weight @ ratings.design()
    means = np.linalg.solve(normal, ratings.design().T @ weight @ ratings.score)
    residual = ratings.score - ratings.design() @ means
    spare = len(ratings.score) - len(means)
    determinants = np.linalg.slogdet(normal)[1] - np.linalg.slogdet(weight)[1]
    return float(spare * np.log(2 * np.pi) + determinants + residual @ weight @ residual)


def covariance_by_definition(ratings: Ratings, variances: Floats) -> Floats:
    together = ratings.worker[:, None] == ratings.worker[None, :]
    weight = np.linalg.inv(variances[1] * np.eye(len(ratings.score)) + variances[0] * together)
    return np.linalg.inv(ratings.design().T @ weight @ ratings.design())


def derivatives(function, at: Floats, step: float = 1e-4) -> tuple[Floats, Floats]:
    """First derivatives and the Hessian by differences."""
    moves = np.eye(2) * step
    first = np.array([(function(at + m) - function(at - m)) / (2 * step) for m in moves])
    second = [
        [
            (function(at + a + b) - function(at + a - b) - function(at - a + b) + function(at - a - b))
            / (4 * step**2)
            for b in moves
        ]
        for a in moves
    ]
    return first, np.array(second)


# --- Against whole matrices ---------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(4))
def test_the_fit_is_where_the_whole_likelihood_is_highest(seed: int) -> None:
    ratings = drawn(seed)
    best = optimize.minimize(
        lambda v: deviance_by_definition(ratings, *np.exp(v)), [-0.5, 0.0], method="Nelder-Mead",
        options={"xatol": 1e-9, "fatol": 1e-12},
    )  # fmt: skip
    fitted = fit_one(ratings)
    assert (fitted.var_worker, fitted.var_residual) == pytest.approx(np.exp(best.x), rel=1e-5)
    assert fitted.log_likelihood == pytest.approx(-best.fun / 2, abs=1e-8)


@pytest.mark.parametrize("seed", range(4))
def test_means_and_their_covariance_are_generalised_least_squares(seed: int) -> None:
    ratings = drawn(seed)
    fitted = fit_one(ratings)
    covariance = covariance_by_definition(ratings, np.array([fitted.var_worker, fitted.var_residual]))
    together = ratings.worker[:, None] == ratings.worker[None, :]
    weight = np.linalg.inv(fitted.var_residual * np.eye(60) + fitted.var_worker * together)
    np.testing.assert_allclose(fitted.covariance, covariance, rtol=1e-9)
    np.testing.assert_allclose(
        fitted.means, covariance @ ratings.design().T @ weight @ ratings.score, rtol=1e-9
    )


@pytest.mark.parametrize("seed", range(3))
def test_degrees_of_freedom_are_satterthwaites(seed: int) -> None:
    # 2 f^2 / g'Ag with f the contrast's variance, g its gradient in the two variances, A twice the inverse Hessian.
    ratings = drawn(seed)
    fitted = fit_one(ratings)
    variances = np.array([fitted.var_worker, fitted.var_residual])
    _, hessian = derivatives(lambda v: deviance_by_definition(ratings, *v), variances)
    for weights in (np.array([1.0, 0, 0]), np.array([1.0, -1, 0]), np.array([0, 1.0, -1])):
        gradient, _ = derivatives(
            lambda v, weights=weights: weights @ covariance_by_definition(ratings, v) @ weights, variances
        )
        found = fitted.contrasts(weights[None])
        expected = 2 * found.error[0] ** 4 / (gradient @ (2 * np.linalg.inv(hessian)) @ gradient)
        assert found.df[0] == pytest.approx(expected, rel=1e-4)


def test_derivatives_of_the_criterion_are_those_of_differences() -> None:
    table, step = drawn(1).table(), 1e-5
    sums = reml.sums(*(part[:, :, 0] for part in (table.count, table.total, table.squares)))
    low, middle, high = (reml.at(sums, 0.4 + move) for move in (-step, 0, step))
    assert middle.gradient == pytest.approx((high.deviance - low.deviance) / (2 * step), rel=1e-6)
    for name in ("rss", "logdet"):
        before, now, after = (getattr(point, name) for point in (low, middle, high))
        assert now[1] == pytest.approx((after[0] - before[0]) / (2 * step), rel=1e-6)
        assert now[2] == pytest.approx((after[1] - before[1]) / (2 * step), rel=1e-6)


def test_each_axis_is_fitted_by_itself() -> None:
    ratings = drawn(6, axes=2, n=140)
    together = mixed.differences(mixed.fit(ratings.table()))
    for axis in range(2):
        alone = mixed.differences([fit_one(ratings.on(axis))])
        np.testing.assert_allclose(together.estimate[:, axis], alone.estimate[:, 0])
        np.testing.assert_allclose(together.df[:, axis], alone.df[:, 0])


def test_another_scale_stretches_everything() -> None:
    ratings = drawn(2)
    stretched = Ratings(ratings.worker, ratings.model, ratings.axis, 1000 + 10 * ratings.score, ratings.shape)
    ours, theirs = fit_one(ratings), fit_one(stretched)
    assert theirs.var_worker == pytest.approx(100 * ours.var_worker, rel=1e-7)
    np.testing.assert_allclose(theirs.means, 1000 + 10 * ours.means)
    np.testing.assert_allclose(theirs.model_means().df, ours.model_means().df, rtol=1e-6)


# --- Balanced designs ---------------------------------------------------------------------------------------


def block(seed: int, workers: int = 10, models: int = 4) -> Ratings:
    """Every worker rates every model once."""
    draw = np.random.default_rng(seed)
    worker, model = (part.ravel() for part in np.mgrid[:workers, :models])
    score = 3 + draw.normal(0, 1, workers)[worker] + 0.2 * model + draw.normal(0, 0.8, len(worker))
    return Ratings(worker, model, np.zeros_like(worker), score, (workers, models, 1))


def test_a_complete_block_gives_the_analysis_of_variance() -> None:
    ratings = block(0)
    table = ratings.score.reshape(10, 4)
    apart = table - table.mean(axis=0) - table.mean(axis=1, keepdims=True) + table.mean()
    residual, between = (apart**2).sum() / 27, 4 * table.mean(axis=1).var(ddof=1)
    fitted = fit_one(ratings)
    assert (fitted.var_residual, fitted.var_worker) == pytest.approx(
        (residual, (between - residual) / 4), rel=1e-7
    )
    found = mixed.differences([fitted])
    assert found.error[:, 0] == pytest.approx(np.full(6, np.sqrt(2 * residual / 10)), rel=1e-7)
    assert found.df[:, 0] == pytest.approx(np.full(6, 27), rel=1e-6)


def test_two_models_in_blocks_give_the_paired_t_test() -> None:
    ratings = block(1, models=2)
    pairs = ratings.score.reshape(10, 2)
    assert mixed.differences([fit_one(ratings)]).p[0, 0] == pytest.approx(
        stats.ttest_rel(pairs[:, 0], pairs[:, 1]).pvalue, rel=1e-6
    )


def test_workers_who_rate_once_give_the_pooled_t_test() -> None:
    first, second = [1, 4, 3, 5, 2], [4, 5, 5, 3]
    ratings = given(*({0: [score]} for score in first), *({1: [score]} for score in second))
    fitted = fit_one(ratings)
    assert np.isnan(fitted.var_worker) and fitted.untested == Untested.NONE
    found = mixed.differences([fitted])
    assert found.p[0, 0] == pytest.approx(stats.ttest_ind(first, second).pvalue)
    assert found.df[0, 0] == pytest.approx(7)


def test_workers_who_do_not_differ_have_no_variance_and_contrasts_are_pooled() -> None:
    # Both workers give each model the same mean: between workers there is less than chance would bring.
    ratings = given({0: [1, 5], 1: [2, 4]}, {0: [2, 4], 1: [1, 5]}, {0: [3, 3], 1: [4, 2]})
    fitted = fit_one(ratings)
    assert fitted.var_worker == 0 and fitted.icc == 0
    expected = stats.ttest_ind(ratings.score[ratings.model == 0], ratings.score[ratings.model == 1])
    found = mixed.differences([fitted])
    assert (found.p[0, 0], found.df[0, 0]) == pytest.approx((expected.pvalue, expected.df))


# --- What cannot be told ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("workers", "why"),
    [
        (({},), Untested.NO_RATINGS),
        (({0: [1, 2], 1: [3, 4]},), Untested.ONE_WORKER),
        (({0: [1, 2, 2]}, {1: [3, 5]}), Untested.TOO_FEW_RATINGS),
        (({0: [1]}, {1: [3]}), Untested.TOO_FEW_RATINGS),
        (({0: [1], 1: [3]}, {0: [2]}), Untested.TOO_FEW_RATINGS),
        (({0: [3], 1: [4]}, {0: [2], 1: [3]}, {0: [1], 1: [2]}), Untested.NO_VARIANCE),
        (({0: [3]}, {0: [3]}, {1: [4]}, {1: [4]}), Untested.NO_VARIANCE),
    ],
)
def test_an_axis_says_why_it_has_no_model(workers, why: Untested) -> None:
    fitted = fit_one(given(*workers))
    assert fitted.untested == why
    found = mixed.differences([fitted])
    assert found.untested[0, 0] == why and np.isnan(found.p[0, 0]) and np.isnan(fitted.icc)


def test_a_model_without_ratings_leaves_the_others_alone() -> None:
    ratings = drawn(3)
    wider = Ratings(
        ratings.worker, ratings.model + (ratings.model > 0), ratings.axis, ratings.score, (12, 4, 1)
    )
    ours, expected = fit_one(wider), fit_one(ratings)
    np.testing.assert_allclose(np.delete(ours.means, 1), expected.means)
    found = mixed.differences([ours])
    assert np.isnan(ours.means[1]) and np.isnan(ours.model_means().error[1])
    assert found.untested[:, 0].tolist().count(Untested.NO_RATINGS) == 3
    np.testing.assert_allclose(found.error[1:3, 0], mixed.differences([expected]).error[:2, 0])


def test_an_empty_table_has_no_model() -> None:
    nothing = np.zeros((0, 2, 1))
    (fitted,) = mixed.fit(WorkerTable(nothing, nothing, nothing))
    assert fitted.untested == Untested.NO_RATINGS and fitted.n == 0
