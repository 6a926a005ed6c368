"""The intervals of means: against R, against the definition, and against values worked out by hand."""

from __future__ import annotations

import csv
import math
from pathlib import Path

import numpy as np
import pytest
from scipy import linalg, stats

from analysis.statistics.means import (
    Cells,
    Gap,
    Scale,
    WorkerTable,
    bold,
    cr1_error,
    summarise,
    t_cr1,
    t_cr2,
    t_plain,
    tabulate,
    wilson_cr2,
)
from tests.analysis.slow_statistics import drawn, sandwich

AXES = ("empathy", "knowledge", "overall", "personal")


def one_cell_table(*workers: list[float]) -> WorkerTable:
    """A table of one cell in which each worker gave these ratings."""
    pairs = [(index, score) for index, scores in enumerate(workers) for score in scores]
    worker = np.array([index for index, _ in pairs], dtype=np.int64)
    score = np.array([score for _, score in pairs], dtype=float)
    zero = np.zeros(len(pairs), dtype=np.int64)
    return tabulate(worker, zero, zero, score, (max(len(workers), 1), 1, 1))


def one_cell(*workers: list[float]) -> Cells:
    """The only cell of that table."""
    return summarise(one_cell_table(*workers))


def only(values: np.ndarray) -> float:
    return float(values[0, 0])


def several(*models: list[list[float]]) -> Cells:
    """A model a column of workers' ratings, on one axis."""
    rows = [
        (worker, model, score)
        for model, workers in enumerate(models)
        for worker, scores in enumerate(workers)
        for score in scores
    ]
    worker, model, score = (np.array(column) for column in zip(*rows, strict=True))
    return summarise(
        tabulate(worker, model, np.zeros_like(worker), score.astype(float), (50, len(models), 1))
    )


# --- Against R (clubSandwich) -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def vectors(reference: Path) -> tuple[list[dict[str, str]], Cells, list[str]]:
    folder = reference / "vectors" / "statistics" / "public"
    if not folder.is_dir():
        pytest.skip(f"no statistical reference values at {folder}")
    with (folder / "expected_R_cells.csv").open() as file:
        expected = list(csv.DictReader(file))
    with (folder / "ratings.csv").open() as file:
        given = list(csv.DictReader(file))
    models = sorted({row["model"] for row in given})
    workers = sorted({row["worker_id"] for row in given})
    table = tabulate(
        np.array([workers.index(row["worker_id"]) for row in given]),
        np.array([models.index(row["model"]) for row in given]),
        np.array([AXES.index(row["axis"]) for row in given]),
        np.array([float(row["rating"]) for row in given]),
        (len(workers), len(models), len(AXES)),
    )
    assert len(expected) == len(models) * len(AXES)
    return expected, summarise(table), models


def compare(vectors: tuple[list[dict[str, str]], Cells, list[str]], column: str, values: np.ndarray) -> None:
    expected, _, models = vectors
    ours = [values[models.index(row["model"]), AXES.index(row["axis"])] for row in expected]
    np.testing.assert_allclose(ours, [float(row[column]) for row in expected], rtol=0, atol=1e-9)


@pytest.mark.parametrize(
    ("column", "field"),
    [
        ("n", "n"),
        ("n_workers", "workers"),
        ("mean", "mean"),
        ("sd", "sd"),
        ("cr2_se", "error"),
        ("cr2_df", "df"),
    ],
)
def test_cells_are_those_of_r(vectors, column: str, field: str) -> None:
    compare(vectors, column, getattr(vectors[1], field))


@pytest.mark.parametrize(("prefix", "method"), [("wilson", wilson_cr2), ("cr2", t_cr2), ("t", t_plain)])
def test_intervals_are_those_of_r(vectors, prefix: str, method) -> None:
    intervals = method(vectors[1])
    compare(vectors, f"{prefix}_lo", intervals.low)
    compare(vectors, f"{prefix}_hi", intervals.high)


def test_the_bold_cells_are_those_of_r(vectors) -> None:
    expected, cells, models = vectors
    ours = bold(cells, wilson_cr2(cells))
    assert [bool(ours[models.index(row["model"]), AXES.index(row["axis"])]) for row in expected] == [
        row["bold_R1_wilson"] == "TRUE" for row in expected
    ]


# --- Against the definition, slowly -------------------------------------------------------------------------


def cr2_by_definition(ratings: np.ndarray, worker: np.ndarray) -> tuple[float, float]:
    """Standard error and degrees of freedom of a mean from whole matrices (Pustejovsky and Tipton 2018).

    The regression on a constant: hat matrix H, adjustment A_g = (I - H_gg)^(-1/2) for each worker g, and the
    degrees of freedom of the estimate as a quadratic form of independent normal errors.
    """
    n = len(ratings)
    away = np.eye(n) - np.full((n, n), 1 / n)
    residual = away @ ratings
    variance, forms = 0.0, []
    for g in np.unique(worker):
        mine = worker == g
        adjustment = linalg.inv(linalg.sqrtm(away[np.ix_(mine, mine)]).real)
        loading = adjustment @ np.ones(mine.sum()) / n
        variance += (loading @ residual[mine]) ** 2
        forms.append(away[:, mine] @ loading)
    products = np.array([[a @ b for b in forms] for a in forms])
    return float(np.sqrt(variance)), float(np.trace(products) ** 2 / (products**2).sum())


@pytest.mark.parametrize("seed", range(6))
def test_cells_follow_the_definition(seed: int) -> None:
    draw = np.random.default_rng(seed)
    worker = np.sort(draw.integers(0, 7, 40))
    score = draw.integers(1, 6, 40).astype(float)
    zero = np.zeros(40, dtype=np.int64)
    cells = summarise(tabulate(worker, zero, zero, score, (7, 1, 1)))
    error, df = cr2_by_definition(score, worker)
    assert only(cells.error) == pytest.approx(error, abs=1e-12)
    assert only(cells.df) == pytest.approx(df, abs=1e-9)


def test_the_cr1_error_of_a_mean_follows_the_definition() -> None:
    ratings = drawn(4, models=1)
    workers = len(np.unique(ratings.worker))
    variance = sandwich(ratings.design(), ratings.score, ratings.worker)[0, 0] * workers / (workers - 1)
    cells, error = summarise(ratings.table()), cr1_error(ratings.table())
    assert error[0, 0] == pytest.approx(np.sqrt(variance))
    half = stats.t.ppf(0.975, workers - 1) * np.sqrt(variance)
    assert t_cr1(cells, error).high[0, 0] == pytest.approx(cells.mean[0, 0] + half)


def test_every_cell_of_a_table_is_computed_by_itself() -> None:
    draw = np.random.default_rng(3)
    worker, model, axis = draw.integers(0, 9, 300), draw.integers(0, 3, 300), draw.integers(0, 2, 300)
    score = draw.integers(1, 6, 300).astype(float)
    together = wilson_cr2(summarise(tabulate(worker, model, axis, score, (9, 3, 2))))
    for m in range(3):
        for a in range(2):
            chosen = (model == m) & (axis == a)
            alone = one_cell(*[list(score[chosen & (worker == w)]) for w in range(9)])
            assert together.low[m, a] == pytest.approx(only(wilson_cr2(alone).low), abs=1e-12)
            assert together.high[m, a] == pytest.approx(only(wilson_cr2(alone).high), abs=1e-12)


# --- By hand ------------------------------------------------------------------------------------------------


def test_two_workers_with_one_rating_each_by_hand() -> None:
    # Ratings 3 and 5: mean 4, e = -1 and 1, h = 1/2, variance (2 + 2) / 4 = 1, df = 4 / (2 + (16 - 8) / 4) = 1.
    # z = t(.975, 1) = 12.7062, z^2 = 161.4476, p = 3/4, n_eff = 16 * 3/16 / 1 = 3, so with 1 + z^2/3 = 54.8159:
    # middle (.75 + 161.4476/6) / 54.8159 = .504561, half 12.7062 * sqrt(.0625 + 161.4476/36) / 54.8159 = .494290.
    cells = one_cell([3], [5])
    assert (only(cells.mean), only(cells.error), only(cells.df)) == (4, 1, 1)
    intervals = wilson_cr2(cells)
    assert only(intervals.low) == pytest.approx(1 + 4 * (0.504561 - 0.494290), abs=1e-4)
    assert only(intervals.high) == pytest.approx(1 + 4 * (0.504561 + 0.494290), abs=1e-4)


def test_uneven_workers_by_hand() -> None:
    # Worker one rates 2, 2, 4 and worker two rates 4: n = 4, mean 3, e = (8 - 9, 4 - 3) = (-1, 1), h = (1/4, 3/4),
    # variance (4 + 4/3) / 16 = 1/3; b = (9 / (1/4), 1 / (3/4)) = (36, 4/3), (sum b)^2 - sum b^2 = 2 * 48 = 96,
    # df = 16 / (10 + 96/16) = 1; the ratings' own variance is (1 + 1 + 1 + 1) / 3 = 4/3.
    cells = one_cell([2, 2, 4], [4])
    assert (only(cells.n), only(cells.workers), only(cells.mean)) == (4, 2, 3)
    assert only(cells.error) == pytest.approx((1 / 3) ** 0.5, abs=1e-12)
    assert only(cells.df) == pytest.approx(1, abs=1e-12)
    assert only(cells.sd) == pytest.approx((4 / 3) ** 0.5, abs=1e-12)


def test_with_one_rating_a_worker_the_error_is_the_ordinary_one() -> None:
    scores = [1, 2, 2, 3, 5, 5, 4, 2.0]
    cells = one_cell(*[[score] for score in scores])
    assert only(cells.error) == pytest.approx(stats.sem(scores), abs=1e-12)
    assert only(cells.df) == pytest.approx(len(scores) - 1, abs=1e-9)
    low, high = stats.t.interval(0.95, len(scores) - 1, np.mean(scores), stats.sem(scores))
    for method in (t_cr2, t_plain):
        assert only(method(cells).low) == pytest.approx(low, abs=1e-9)
        assert only(method(cells).high) == pytest.approx(high, abs=1e-9)


def test_two_workers_by_cr1_by_hand() -> None:
    # Worker one rates 2, 2, 4 and worker two 4: e = (-1, 1), variance (1 + 1) / 16 * 2 / 1 = 1/4, t with one df.
    table = one_cell_table([2, 2, 4], [4])
    assert only(cr1_error(table)) == pytest.approx(0.5)
    limits = t_cr1(summarise(table), cr1_error(table))
    assert only(limits.low) == pytest.approx(3 - 12.7062 * 0.5, abs=1e-4)


def test_one_worker_has_no_cr1_error() -> None:
    table = one_cell_table([1, 5])
    assert np.isnan([only(cr1_error(table)), only(t_cr1(summarise(table), cr1_error(table)).low)]).all()


# --- Cells that say little ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("workers", "gap"),
    [([[]], Gap.NO_RATINGS), ([[4]], Gap.ONE_RATING), ([[4, 2, 5]], Gap.ONE_WORKER), ([[4], [4]], Gap.NONE)],
)
def test_a_cell_says_why_it_has_no_interval(workers: list[list[float]], gap: Gap) -> None:
    cells = one_cell(*workers)
    intervals = wilson_cr2(cells)
    assert cells.gap[0, 0] == gap
    assert np.isnan(only(intervals.low)) == np.isnan(only(intervals.high)) == (gap != Gap.NONE)
    assert np.isnan(only(cells.mean)) == (gap == Gap.NO_RATINGS)


def test_without_variance_each_worker_counts_as_one_rating() -> None:
    # All say 5, so p = 1 and Wilson's lower limit is n / (n + z^2) with n = 4 workers; df = 3 for equal workers.
    intervals = wilson_cr2(one_cell([5, 5], [5, 5], [5, 5], [5, 5]))
    z2 = stats.t.ppf(0.975, 3) ** 2
    assert only(intervals.low) == pytest.approx(1 + 4 * 4 / (4 + z2), abs=1e-9)
    assert only(intervals.high) == 5


def test_workers_who_agree_on_a_fraction_have_exactly_no_variance() -> None:
    cells = one_cell([3, 3, 4], [4, 3, 3], [3, 4, 3])
    assert only(cells.error) == 0
    assert only(wilson_cr2(cells).low) < 3 < 4 < only(wilson_cr2(cells).high)


@pytest.mark.parametrize(
    ("workers", "score", "scale"),
    [
        ((2, 5), 1.1, Scale(1, 5)),
        ((3, 4, 7, 6), 0.1, Scale(0.1, 0.9)),
        ((9, 3, 3, 1, 8, 7, 8, 1), 0.7, Scale(0, 0.7)),
        ((8, 3, 7, 11, 1), -1.9, Scale(-2, 2)),
    ],
)
def test_workers_who_all_give_one_fraction_count_as_one_rating_each(
    workers: tuple[int, ...], score: float, scale: Scale
) -> None:
    cells = one_cell(*([score] * talks for talks in workers))
    found, apart = wilson_cr2(cells, scale), scale.width / (2 * len(workers) + 20)
    assert only(cells.error) == only(cells.sd) == 0
    assert only(found.high) - only(found.low) > apart
    assert scale.low <= only(found.low) and only(found.high) <= scale.high


def test_a_single_rating_that_differs_among_a_million_is_no_rounding() -> None:
    count = np.full((25_000, 1, 1), 40.0)
    total, squares = count * 4.9, count * 4.9**2
    total[0], squares[0] = total[0] + 0.1, squares[0] + 5**2 - 4.9**2
    cells = summarise(WorkerTable(count, total, squares))
    assert only(cells.error) == pytest.approx(1e-7, rel=1e-3)
    assert only(cells.sd) == pytest.approx(1e-4, rel=1e-3)


def test_an_empty_table_has_cells_without_ratings() -> None:
    nothing = np.zeros(0, dtype=np.int64)
    cells = summarise(tabulate(nothing, nothing, nothing, np.zeros(0), (0, 2, 4)))
    assert cells.gap.shape == (2, 4) and (cells.gap == Gap.NO_RATINGS).all()
    assert not bold(cells, wilson_cr2(cells)).any()


def test_limits_stay_on_the_scale_and_around_the_mean() -> None:
    draw = np.random.default_rng(11)
    count = draw.integers(0, 4, (12, 300, 1)).astype(float)
    total = count * draw.integers(1, 6, (12, 300, 1))
    cells = summarise(WorkerTable(count=count, total=total, squares=total**2 / np.maximum(count, 1)))
    intervals = wilson_cr2(cells)
    known = cells.gap == Gap.NONE
    assert known.sum() > 250
    assert (intervals.low[known] >= 1).all() and (intervals.high[known] <= 5).all()
    assert (intervals.low[known] <= cells.mean[known]).all()
    assert (cells.mean[known] <= intervals.high[known]).all()


def test_another_scale_gives_the_same_interval_stretched() -> None:
    ours = wilson_cr2(one_cell([1, 2], [4, 5], [3]))
    stretched = wilson_cr2(one_cell([0, 25], [75, 100], [50]), Scale(0, 100))
    assert only(stretched.low) == pytest.approx((only(ours.low) - 1) * 25, abs=1e-9)
    assert only(stretched.high) == pytest.approx((only(ours.high) - 1) * 25, abs=1e-9)


@pytest.mark.parametrize("ends", [(5, 1), (3, 3), (1, math.inf), (math.nan, 5), (-1e308, 1e308)])
def test_a_scale_has_two_ends_that_are_numbers(ends: tuple[float, float]) -> None:
    with pytest.raises(ValueError, match="two numbers are expected, the lower one first"):
        Scale(*ends)


def test_workers_who_differ_widen_the_interval_that_plain_t_leaves_narrow() -> None:
    cells = one_cell([1] * 10, [5] * 10, [2] * 10, [4] * 10)
    plain, clustered = t_plain(cells), t_cr2(cells)
    assert only(clustered.high - clustered.low) > 2 * only(plain.high - plain.low)


# --- Bold ---------------------------------------------------------------------------------------------------


def test_bold_is_whoever_reaches_the_lower_limit_of_the_best() -> None:
    best = [[4], [5], [4], [5], [4], [5]]
    cells = several(best, [[4]] * 5 + [[5]], [[1], [2]] * 3)
    limit = wilson_cr2(cells).low[0, 0]
    assert cells.mean[2, 0] < limit <= cells.mean[1, 0] < cells.mean[0, 0]
    assert bold(cells, wilson_cr2(cells))[:, 0].tolist() == [True, True, False]


def test_a_model_without_an_interval_takes_no_part_in_bold() -> None:
    cells = several([[5]], [[2], [3], [2]], [[3], [3], [2]])
    assert cells.mean[0, 0] == 5
    assert bold(cells, wilson_cr2(cells))[:, 0].tolist() == [False, True, True]


def test_nothing_is_bold_where_there_is_nothing_to_compare() -> None:
    cells = several([[5], [4]], [[2]])
    assert not bold(cells, wilson_cr2(cells)).any()
