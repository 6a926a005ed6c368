"""Sequential looks: published limits, simulated studies, and limits that hold at any time."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from analysis.statistics.sequential import (
    Shape,
    always_valid_interval,
    classical_bounds,
    mixture_bounds,
    outcome,
    spending_bounds,
    spent,
)

FIVE = np.arange(1, 6) / 5
#: Fifteen looks, from 50 to 400 ratings a model.
FIFTEEN = np.arange(50, 401, 25) / 400
STUDIES = 40_000


def simulated_z(shares: np.ndarray, drift: float = 0.0, seed: int = 1) -> np.ndarray:
    """Z at each look of many studies, (studies, looks)."""
    steps = np.diff(shares, prepend=0.0)
    moves = np.random.default_rng(seed).normal(drift * steps, np.sqrt(steps), (STUDIES, len(shares)))
    return moves.cumsum(axis=1) / np.sqrt(shares)


# --- Published limits (Jennison and Turnbull 2000, tables 2.1, 2.3 and 7.1 to 7.3) ---------------------------


@pytest.mark.parametrize(("looks", "printed"), [(2, 2.178), (5, 2.413), (10, 2.555)])
def test_pococks_constants(looks: int, printed: float) -> None:
    found = classical_bounds(Shape.POCOCK, np.arange(1, looks + 1) / looks)
    assert found == pytest.approx(np.full(looks, printed), abs=6e-4)


@pytest.mark.parametrize(("looks", "printed"), [(2, 1.977), (5, 2.040), (10, 2.087)])
def test_obrien_and_flemings_constants(looks: int, printed: float) -> None:
    shares = np.arange(1, looks + 1) / looks
    found = classical_bounds(Shape.OBRIEN_FLEMING, shares)
    assert found * np.sqrt(shares) == pytest.approx(np.full(looks, printed), abs=6e-4)


@pytest.mark.parametrize(
    ("shape", "printed"),
    [
        (Shape.OBRIEN_FLEMING, [4.877, 3.357, 2.680, 2.290, 2.031]),
        (Shape.POCOCK, [2.438, 2.427, 2.410, 2.397, 2.386]),
    ],
)
def test_limits_of_lan_and_demets(shape: Shape, printed: list[float]) -> None:
    assert spending_bounds(shape, FIVE) == pytest.approx(printed, abs=6e-4)


@pytest.mark.parametrize("bounds", [classical_bounds, spending_bounds])
@pytest.mark.parametrize("shape", Shape)
def test_one_look_is_the_ordinary_test(bounds, shape: Shape) -> None:
    assert bounds(shape, np.ones(1)) == pytest.approx([stats.norm.ppf(0.975)], abs=1e-8)


# --- What they do -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("bounds", [classical_bounds, spending_bounds])
@pytest.mark.parametrize("shape", Shape)
@pytest.mark.parametrize("shares", [FIFTEEN, np.array([0.1, 0.15, 0.6, 0.61, 1.0])])
def test_studies_without_a_difference_are_stopped_at_the_error_rate(bounds, shape: Shape, shares) -> None:
    limits = bounds(shape, shares)
    assert outcome(limits, shares).rejected == pytest.approx(0.05, abs=1e-8)
    crossed = (np.abs(simulated_z(shares)) >= limits).any(axis=1)
    assert abs(crossed.mean() - 0.05) < 3.5 * (0.05 * 0.95 / STUDIES) ** 0.5


def test_looking_as_if_it_were_once_finds_too_much() -> None:
    peeking = np.full(15, 1.96)
    crossed = (np.abs(simulated_z(FIFTEEN)) >= peeking).any(axis=1)
    assert outcome(peeking, FIFTEEN).rejected == pytest.approx(crossed.mean(), abs=0.007)
    assert crossed.mean() > 0.19


@pytest.mark.parametrize("drift", [-3.4, 1.5])
def test_power_and_where_studies_stop_are_those_of_simulated_ones(drift: float) -> None:
    limits = classical_bounds(Shape.OBRIEN_FLEMING, FIFTEEN)
    crossed = np.abs(simulated_z(FIFTEEN, drift)) >= limits
    ends = np.where(crossed.any(axis=1), FIFTEEN[crossed.argmax(axis=1)], 1)
    found = outcome(limits, FIFTEEN, drift)
    assert found.rejected == pytest.approx(crossed.any(axis=1).mean(), abs=0.008)
    assert found.information == pytest.approx(ends.mean(), abs=0.005)
    assert found.stop.sum() == pytest.approx(found.rejected)


def test_a_limit_depends_on_no_later_look() -> None:
    early = spending_bounds(Shape.OBRIEN_FLEMING, np.array([0.3, 0.5]))
    later = spending_bounds(Shape.OBRIEN_FLEMING, np.array([0.3, 0.5, 0.55, 0.9]))
    assert later[:2] == pytest.approx(early)


@pytest.mark.parametrize("shape", Shape)
def test_all_of_the_error_is_spent_at_the_end(shape: Shape) -> None:
    assert spent(shape, np.array([1.0, 1.3])) == pytest.approx([0.05, 0.05])
    assert (np.diff(spent(shape, FIFTEEN)) > 0).all()


@pytest.mark.parametrize("shares", [[], [0.0, 1.0], [0.5, 0.5], [0.6, 0.4]])
def test_shares_must_rise(shares: list[float]) -> None:
    with pytest.raises(ValueError, match="expected are rising ones above 0"):
        spending_bounds(Shape.POCOCK, np.array(shares))


# --- At any time --------------------------------------------------------------------------------------------


def test_the_mixture_by_hand() -> None:
    # The likelihood ratio of Z at V, sqrt(r / (r + V)) exp(Z^2 / 2 V / (r + V)) for the weight r, is 1 / alpha = 20.
    limit, share = mixture_bounds(np.array([0.5]), best_at=0.5)[0], 0.5
    weights = np.linspace(0.001, 3, 4000) * 0.5
    possible = [np.sqrt(r / (r + share)) * np.exp(limit**2 / 2 * share / (r + share)) for r in weights]
    assert max(possible) == pytest.approx(20, rel=1e-5)  # the weight that is best at this share


def test_no_number_of_looks_brings_more_than_the_error_rate() -> None:
    many = np.geomspace(0.001, 1, 400)
    assert 0.01 < outcome(mixture_bounds(many), many).rejected < 0.05


def test_always_valid_limits_are_wider_than_planned_ones() -> None:
    found = always_valid_interval(np.array([0.3]), np.array([0.2]), planned_error=0.1)
    half = mixture_bounds(np.array([0.25]))[0] * 0.2
    assert (found.low[0], found.high[0]) == pytest.approx((0.3 - half, 0.3 + half))
    assert half > classical_bounds(Shape.POCOCK, FIFTEEN)[0] * 0.2
