"""Preferences: closed forms of two models, likelihoods climbed by scipy, and what cannot be told."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import optimize

from analysis.errors import NotEstimable
from analysis.statistics.pairwise import Comparisons, Winner, bradley_terry, davidson

THETA = np.array([0.0, 0.8, -0.5, 0.3])


def drawn(seed: int, n: int = 400, nu: float = 0.6, position: float = 0.4, voters: int = 25) -> Comparisons:
    """Comparisons of four models by Davidson's model."""
    draw = np.random.default_rng(seed)
    first = draw.integers(0, 4, n)
    second = (first + draw.integers(1, 4, n)) % 4
    d = THETA[first] - THETA[second] + position
    weights = np.stack([np.exp(d / 2), np.exp(-d / 2), np.full(n, nu)], axis=1)
    chances = (weights / weights.sum(axis=1, keepdims=True)).cumsum(axis=1)
    return Comparisons(
        draw.integers(0, voters, n), first, second, (draw.random(n)[:, None] > chances).sum(axis=1)
    )


def counted(wins: int, losses: int, ties: int = 0) -> Comparisons:
    """Two models, the second shown first; each comparison by another voter."""
    winner = np.repeat([Winner.FIRST, Winner.SECOND, Winner.TIE], [wins, losses, ties])
    return Comparisons(np.arange(len(winner)), winner * 0 + 1, winner * 0, winner)


def chances_by_definition(
    given: Comparisons, parameters: np.ndarray, ties: bool, position: bool
) -> np.ndarray:
    """The chance of what each voter said."""
    theta = np.concatenate([[0], parameters[:3]])
    d = theta[given.first] - theta[given.second] + (parameters[3] if position else 0)
    nu = np.exp(parameters[-1]) if ties else 0.0
    weights = np.stack([np.exp(d / 2), np.exp(-d / 2), np.full_like(d, nu)], axis=1)
    return weights[np.arange(len(d)), given.winner] / weights.sum(axis=1)


@pytest.mark.parametrize("position", [False, True])
@pytest.mark.parametrize("ties", [False, True])
def test_the_fit_is_where_the_likelihood_is_highest(ties: bool, position: bool) -> None:
    given = drawn(1)
    fitted = (davidson if ties else bradley_terry)(given, 4, position=position)
    used = given if ties else given.only(given.winner != Winner.TIE)
    best = optimize.minimize(
        lambda p: -np.log(chances_by_definition(used, p, ties, position)).sum(),
        np.zeros(3 + position + ties),
        tol=1e-10,
    )
    ours = [
        *fitted.strength[1:],
        *([fitted.position] if position else []),
        *([fitted.log_nu] if ties else []),
    ]
    assert ours == pytest.approx(best.x, abs=1e-5)
    assert fitted.log_likelihood == pytest.approx(-best.fun)


@pytest.mark.parametrize("ties", [False, True])
def test_errors_are_a_sandwich_of_differences(ties: bool) -> None:
    given = drawn(2)
    used = given if ties else given.only(given.winner != Winner.TIE)
    fitted = (davidson if ties else bradley_terry)(given, 4, position=True)
    at = np.array([*fitted.strength[1:], fitted.position, *([fitted.log_nu] if ties else [])])
    moves = np.eye(len(at)) * 1e-4

    def logs(p: np.ndarray) -> np.ndarray:
        return np.log(chances_by_definition(used, p, ties, True))

    scores = np.stack([(logs(at + m) - logs(at - m)) / 2e-4 for m in moves], axis=1)
    hessian = np.array(
        [
            [
                (logs(at + a + b) - logs(at + a - b) - logs(at - a + b) + logs(at - a - b)).sum() / 4e-8
                for a in moves
            ]
            for b in moves
        ]
    )
    bread = np.linalg.inv(-hessian)
    by_worker = np.array([scores[used.worker == w].sum(axis=0) for w in range(25)])
    np.testing.assert_allclose(fitted.covariance, bread, rtol=1e-4, atol=1e-6)
    meat = by_worker.T @ by_worker * 25 / 24
    np.testing.assert_allclose(fitted.clustered, bread @ meat @ bread, rtol=1e-4, atol=1e-6)


def test_two_models_by_hand() -> None:
    # 30 wins of 40: log 3, with error sqrt(1/30 + 1/10).
    fitted = bradley_terry(counted(30, 10, 5), 2)
    assert fitted.strength[1] == pytest.approx(np.log(3))
    assert fitted.errors(clustered=False)[0] == pytest.approx((1 / 30 + 1 / 10) ** 0.5)
    assert np.isnan(fitted.log_nu) and fitted.comparisons == 40


def test_two_models_with_ties_by_hand() -> None:
    # As many parameters as chances: d = log(wins / losses), nu = ties / sqrt(wins losses).
    fitted = davidson(counted(32, 8, 10), 2)
    assert fitted.strength[1] == pytest.approx(np.log(4))
    assert fitted.log_nu == pytest.approx(np.log(10 / 16))


def test_the_advantage_of_position_by_hand() -> None:
    # Shown first, a wins 3 of 4; shown second, 2 of 4: logits position + d = log 3 and position - d = log 1.
    first, winner = np.repeat([0, 1], 4), np.array([0, 0, 0, 1, 0, 0, 1, 1])
    fitted = bradley_terry(Comparisons(np.arange(8), first, 1 - first, winner), 2, position=True)
    assert (fitted.position, fitted.strength[1]) == pytest.approx((np.log(3) / 2, -np.log(3) / 2))


@pytest.mark.parametrize("fit", [bradley_terry, davidson])
def test_a_voter_who_says_all_five_times_is_still_one(fit) -> None:
    given = replace(drawn(3), worker=np.arange(400))
    five = Comparisons(
        *(np.repeat(part, 5) for part in (given.worker, given.first, given.second, given.winner))
    )
    once, repeated = fit(given, 4), fit(five, 4)
    np.testing.assert_allclose(repeated.errors(), once.errors())
    np.testing.assert_allclose(repeated.errors(clustered=False), once.errors(clustered=False) / 5**0.5)


def test_differences_come_with_their_error() -> None:
    fitted = davidson(drawn(4), 4)
    ahead, error = fitted.difference(1, 3)
    assert ahead == pytest.approx(fitted.strength[1] - fitted.strength[3])
    weights = np.array([1, 0, -1, 0])
    assert error == pytest.approx((weights @ fitted.clustered @ weights) ** 0.5)
    assert fitted.difference(0, 2) == pytest.approx((-fitted.strength[2], fitted.errors()[1]))


def test_one_voter_has_no_clustered_error() -> None:
    fitted = bradley_terry(replace(drawn(5), worker=np.zeros(400, dtype=np.int64)), 4)
    assert np.isnan(fitted.errors()).all() and not np.isnan(fitted.errors(clustered=False)).any()


# --- What cannot be told ------------------------------------------------------------------------------------


def test_a_model_that_never_lost_is_refused_by_name() -> None:
    given = drawn(6)
    lost = np.where(given.winner == Winner.FIRST, given.second, given.first) == 2
    with pytest.raises(NotEstimable, match=r"groups \[.*\[2\].*\], between which wins go one way"):
        bradley_terry(given.only(~lost | (given.winner == Winner.TIE)), 4)


def test_ties_alone_do_not_bound_a_model_that_never_lost() -> None:
    with pytest.raises(NotEstimable, match="7 comparisons are told without error by infinite strengths"):
        davidson(counted(5, 0, 2), 2)


def test_ties_bind_models_that_others_bound() -> None:
    # The third model tied with the first and beat the second, which lost to and beat the first.
    first, second = np.array([0, 0, 2, 2, 0]), np.array([1, 1, 0, 1, 2])
    winner = np.array([Winner.FIRST, Winner.SECOND, Winner.TIE, Winner.FIRST, Winner.FIRST])
    assert np.isfinite(davidson(Comparisons(np.arange(5), first, second, winner), 3).strength).all()


def test_a_position_that_goes_with_the_models_is_refused() -> None:
    with pytest.raises(NotEstimable, match="position cannot be told from the models' strengths"):
        bradley_terry(counted(5, 3), 2, position=True)


@pytest.mark.parametrize(
    ("ties", "message"), [(0, "0 of 10 comparisons are ties"), (10, "10 of 10 comparisons")]
)
def test_no_ties_and_nothing_but_ties_are_refused(ties: int, message: str) -> None:
    with pytest.raises(NotEstimable, match=message):
        davidson(counted(5, 5) if not ties else counted(0, 0, ties), 2)


def test_nothing_to_compare_is_refused() -> None:
    for models in (1, 2):
        with pytest.raises(NotEstimable):
            bradley_terry(counted(0, 0), models)
