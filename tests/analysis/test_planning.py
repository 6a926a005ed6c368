"""Planning: known figures, the error that a fitted model has, and what cannot be planned."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from analysis.statistics.planning import (
    FEWEST,
    Dealing,
    Design,
    detectable,
    pairs_of,
    power,
    ratings_needed,
    workers_needed,
)
from analysis.statistics.reml import at, sums
from tests.analysis.slow_statistics import Ratings

#: A spread of about 1.3 and the share of workers that five-point ratings by workers of sd .6 have.
ONCE = Design(sd=1.303, icc=0.2335)
FEW = Design(sd=1.303, icc=0.2335, talks=3.42)
EIGHT = Design(sd=1.303, icc=0.2335, talks=8)
BLOCK = Design(sd=1.303, icc=0.2335, talks=8, dealing=Dealing.COMPLETE_BLOCK)


@pytest.mark.parametrize(
    ("design", "one_pair", "all_pairs"),
    [(ONCE, 297, 596), (FEW, 266, 533), (EIGHT, 249, 499), (BLOCK, 228, 457)],
)
def test_ratings_for_three_tenths_of_a_point(design: Design, one_pair: int, all_pairs: int) -> None:
    # Figures of a simulation that fitted mixed models, good to a per cent.
    assert ratings_needed(design, 0.3) == pytest.approx(one_pair, rel=0.01)
    assert ratings_needed(design, 0.3, comparisons=pairs_of(8)) == pytest.approx(all_pairs, rel=0.01)


def test_a_hundred_ratings_find_about_half_a_point() -> None:
    assert detectable(FEW, 100) == pytest.approx(0.49, abs=0.005)


def test_one_rating_a_worker_is_the_two_sample_formula() -> None:
    z = stats.norm.ppf(0.975) + stats.norm.ppf(0.8)
    assert ratings_needed(Design(sd=2.0, icc=0.0), 0.5) == np.ceil(2 * (2 * z / 0.5) ** 2)


def test_the_number_is_the_smallest_with_the_power() -> None:
    n = ratings_needed(EIGHT, 0.25, power=0.9, comparisons=3)
    assert power(EIGHT, 0.25, n, comparisons=3) >= 0.9 > power(EIGHT, 0.25, n - 1, comparisons=3)


def test_without_a_difference_power_is_the_error_rate() -> None:
    assert power(EIGHT, 0.0, 100, alpha=0.05, comparisons=28) == pytest.approx(0.05 / 28)


@pytest.mark.parametrize(("n", "shortfall"), [(FEWEST, 0.05), (20, 0.022), (100, 0.005)])
def test_students_t_has_a_little_less_power_than_is_planned(n: int, shortfall: float) -> None:
    shift = stats.norm.isf(0.025) + stats.norm.isf(0.2)
    limit = stats.t.isf(0.025, 2 * n - 2)
    assert 0 < 0.8 - stats.nct.sf(limit, 2 * n - 2, shift) < shortfall


def test_what_is_detectable_has_the_power() -> None:
    assert power(BLOCK, detectable(BLOCK, 77, power=0.7), 77) == pytest.approx(0.7)
    assert power(BLOCK, -detectable(BLOCK, 77, power=0.7), 77) == pytest.approx(0.7)


@pytest.mark.parametrize("dealing", Dealing)
def test_the_error_is_that_of_generalised_least_squares(dealing: Dealing) -> None:
    # Talks dealt as the design says to 5,000 workers with 8 talks, variances known.
    draw = np.random.default_rng(0)
    worker = np.repeat(np.arange(5000), 8)
    model = np.tile(np.arange(8), 5000) if dealing is Dealing.COMPLETE_BLOCK else draw.integers(0, 8, 40_000)
    table = Ratings(worker, model, worker * 0, np.ones(40_000), (5000, 8, 1)).table()
    point = at(sums(table.count[:, :, 0], table.total[:, :, 0], table.squares[:, :, 0]), 0.3 / 0.7)
    inverse = point.inverse * 0.7 * 1.3**2
    variances = [inverse[i, i] + inverse[j, j] - 2 * inverse[i, j] for i in range(8) for j in range(i)]
    design = Design(sd=1.3, icc=0.3, talks=8, dealing=dealing)
    assert design.error(5000) == pytest.approx(np.sqrt(np.mean(variances)), rel=0.002)


def test_workers_are_as_many_as_the_talks_need() -> None:
    assert workers_needed(EIGHT, 249, 8) == 249
    assert workers_needed(FEW, 100, 8) == 234


@pytest.mark.parametrize(
    ("made", "message"),
    [
        (lambda: Design(sd=0, icc=0.2), "sd is 0; a spread is above 0"),
        (lambda: Design(sd=1, icc=1), "icc is 1; a share"),
        (lambda: Design(sd=1, icc=0.2, talks=0.5), "at least 1 talk"),
        (lambda: Design(sd=1, icc=0.2, dealing=Dealing.COMPLETE_BLOCK), "at least 2 models"),
        (lambda: ratings_needed(ONCE, 0.0), "difference is 0.0"),
        (
            lambda: ratings_needed(ONCE, 0.3, power=0.04),
            "power is 0.04; wanted is more than the error rate 0.05",
        ),
        (lambda: ratings_needed(ONCE, 0.3, alpha=0), "alpha is 0"),
        (lambda: power(ONCE, 0.3, 100, comparisons=0), "comparisons is 0"),
        (lambda: detectable(ONCE, 0), "n is 0"),
    ],
)
def test_nonsense_is_refused_in_words(made, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        made()
