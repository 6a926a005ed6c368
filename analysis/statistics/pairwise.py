"""Which of two models is preferred: Bradley-Terry, and Davidson's model where there are ties.

Bradley and Terry 1952: the logit of a win of i over j is theta_i - theta_j. Davidson 1970 adds ties: win, loss and
tie have weights exp(d / 2), exp(-d / 2) and nu, d = theta_i - theta_j. Both may have a position term, which is added
to d: the advantage of being shown first. One voter compares many pairs, so errors are clustered by worker.

Shapes: N comparisons, M models, q free parameters.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linprog
from scipy.sparse.csgraph import connected_components

from analysis.errors import NotEstimable
from analysis.statistics.means import Floats, Integers

STEPS, ENOUGH = 100, 1e-12
#: A linear programme that gains more than this has found something.
SEPARATED = 1e-7


class Winner(IntEnum):
    """What a voter said."""

    FIRST = 0
    SECOND = 1
    TIE = 2


@dataclass(frozen=True, slots=True)
class Comparisons:
    """One entry a comparison in each array (N,): who compared, the model shown first, the other, and ``Winner``."""

    worker: Integers
    first: Integers
    second: Integers
    winner: Integers

    def only(self, chosen: NDArray[np.bool_]) -> Comparisons:
        return Comparisons(self.worker[chosen], self.first[chosen], self.second[chosen], self.winner[chosen])


@dataclass(frozen=True, slots=True)
class Strengths:
    """A fitted model. The reference, the first model, has strength 0.

    ``strength`` (M,) in logits; ``position`` the logit's advantage of the model shown first and ``log_nu`` the log
    weight of a tie, NaN where the model has none. ``covariance`` (q, q) takes comparisons as independent,
    ``clustered`` corrects it for workers (HC0 times G / (G - 1) for G workers); their order is the models without the
    first, position, log_nu, as far as they are there.
    """

    strength: Floats
    position: float
    log_nu: float
    covariance: Floats
    clustered: Floats
    comparisons: int
    workers: int
    log_likelihood: float

    def errors(self, *, clustered: bool = True) -> Floats:
        """Standard errors of the q parameters."""
        return np.sqrt(np.diag(self.clustered if clustered else self.covariance))

    def difference(self, first: int, second: int) -> tuple[float, float]:
        """How much stronger the first is, in logits, and its clustered error."""
        weights = np.zeros(len(self.covariance))
        for model, sign in ((first, 1.0), (second, -1.0)):
            if model:
                weights[model - 1] += sign
        return float(self.strength[first] - self.strength[second]), float(
            np.sqrt(weights @ self.clustered @ weights)
        )


def bradley_terry(given: Comparisons, models: int, *, position: bool = False) -> Strengths:
    """Fit to the comparisons that somebody won; ties are left out.

    Raises NotEstimable where the models fall into groups of which one never lost to the other (Ford 1957), and where
    position cannot be told from strength.
    """
    decided = given.only(given.winner != Winner.TIE)
    _check_linked(decided, models)
    design = _design(decided, models, position)
    return _fitted(decided, models, position, _Outcomes(design, decided.winner, ties=False))


def davidson(given: Comparisons, models: int, *, position: bool = False) -> Strengths:
    """Fit to all comparisons, ties among them.

    Raises NotEstimable where there is no tie or nothing but ties, and for the reasons of ``bradley_terry``.
    """
    _check_linked(given, models)
    tied = int((given.winner == Winner.TIE).sum())
    if tied in (0, len(given.winner)):
        raise NotEstimable(
            f"{tied} of {len(given.winner)} comparisons are ties: their weight is expected to be neither nothing nor "
            "everything; use bradley_terry without ties, and more comparisons with nothing but ties"
        )
    design = _design(given, models, position)
    return _fitted(given, models, position, _Outcomes(design, given.winner, ties=True))


@dataclass(frozen=True, slots=True)
class _Outcomes:
    """The likelihood: a multinomial logit whose outcomes have weights exp(d / 2), exp(-d / 2) and perhaps nu.

    ``design`` (N, q') gives d; with ties the last parameter is log nu.
    """

    design: Floats
    winner: Integers
    ties: bool

    @property
    def start(self) -> Floats:
        return np.zeros(self.design.shape[1] + self.ties)

    def chances(self, parameters: Floats) -> Floats:
        """(N, 3) chances of first, second and tie."""
        d = self.design @ (parameters[:-1] if self.ties else parameters)
        tie = parameters[-1] if self.ties else -np.inf
        logits = np.stack([d / 2, -d / 2, np.full_like(d, tie)], axis=1)
        weights = np.exp(logits - logits.max(axis=1, keepdims=True))
        return weights / weights.sum(axis=1, keepdims=True)

    def log_likelihood(self, chances: Floats) -> float:
        return float(np.log(chances[np.arange(len(chances)), self.winner]).sum())

    def advantages(self) -> Floats:
        """How the logit of what was said stands to those of what was not, each kind once, (kinds, q)."""
        tie = np.zeros((len(self.winner), 1))
        logits = [np.column_stack([self.design / 2, tie]), np.column_stack([-self.design / 2, tie])]
        if self.ties:
            logits.append(np.column_stack([self.design * 0, tie + 1]))
        of_all = np.stack(logits, axis=1)  # (N, outcomes, q' + 1)
        ahead = of_all[np.arange(len(self.winner)), self.winner][:, None, :] - of_all
        return np.unique(ahead.reshape(-1, of_all.shape[2])[:, : len(self.start)], axis=0)

    def scores(self, chances: Floats) -> Floats:
        """Each comparison's part of the gradient, (N, q)."""
        won = np.eye(3)[self.winner] - chances
        of_d = self.design * ((won[:, 0] - won[:, 1]) / 2)[:, None]
        return np.column_stack([of_d, won[:, 2]]) if self.ties else of_d

    def information(self, chances: Floats) -> Floats:
        """Minus the second derivatives of the log-likelihood, (q, q)."""
        ahead = chances[:, 0] - chances[:, 1]
        of_d = (chances[:, 0] + chances[:, 1] - ahead**2) / 4
        block = self.design.T @ (self.design * of_d[:, None])
        if not self.ties:
            return block
        tie = chances[:, 2]
        across = self.design.T @ (-tie * ahead / 2)
        return np.block([[block, across[:, None]], [across[None, :], np.array([[tie @ (1 - tie)]])]])


def _design(given: Comparisons, models: int, position: bool) -> Floats:
    """Columns of the models without the first, and perhaps of the position."""
    identity = np.eye(models)
    design = (identity[given.first] - identity[given.second])[:, 1:]
    return np.column_stack([design, np.ones(len(design))]) if position else design


def _fitted(given: Comparisons, models: int, position: bool, outcomes: _Outcomes) -> Strengths:
    _check_finite(outcomes)
    parameters = _newton(outcomes)
    chances = outcomes.chances(parameters)
    covariance = np.linalg.inv(outcomes.information(chances)).astype(float)
    workers, group = np.unique(given.worker, return_inverse=True)
    scores = outcomes.scores(chances) @ covariance
    by_worker = np.stack([np.bincount(group, weights=column) for column in scores.T], axis=1).astype(float)
    clusters = len(workers)
    correction = clusters / (clusters - 1) if clusters > 1 else np.nan
    return Strengths(
        strength=np.concatenate([[0.0], parameters[: models - 1]]),
        position=float(parameters[models - 1]) if position else np.nan,
        log_nu=float(parameters[-1]) if outcomes.ties else np.nan,
        covariance=covariance,
        clustered=by_worker.T @ by_worker * correction,
        comparisons=len(given.winner),
        workers=clusters,
        log_likelihood=outcomes.log_likelihood(chances),
    )


def _newton(outcomes: _Outcomes) -> Floats:
    """The most likely parameters; steps are halved until the likelihood rises."""
    parameters = outcomes.start
    chances = outcomes.chances(parameters)
    for _ in range(STEPS):
        step = np.linalg.solve(outcomes.information(chances), outcomes.scores(chances).sum(axis=0))
        before = outcomes.log_likelihood(chances)
        while True:
            chances = outcomes.chances(parameters + step)
            if outcomes.log_likelihood(chances) >= before - 1e-9 or np.abs(step).max() < ENOUGH:
                break
            step = step / 2
        parameters = parameters + step
        if np.abs(step).max() < ENOUGH:
            return parameters
    raise NotEstimable(f"strengths did not settle in {STEPS} steps; the comparisons do not fix them")


def _check_linked(given: Comparisons, models: int) -> None:
    """Every model has to have beaten, or tied with, every other by some chain."""
    if models < 2:
        raise NotEstimable(f"{models} models were given; at least 2 are compared")
    beat = np.zeros((models, models))
    forward, backward = given.winner != Winner.SECOND, given.winner != Winner.FIRST
    np.add.at(beat, (given.first[forward], given.second[forward]), 1)
    np.add.at(beat, (given.second[backward], given.first[backward]), 1)
    groups, group = connected_components(beat > 0, directed=True, connection="strong")
    if groups > 1:
        apart = [np.flatnonzero(group == each).tolist() for each in range(groups)]
        raise NotEstimable(
            f"models fall into the groups {apart}, between which wins go one way or none: strengths would be "
            "infinite; collect comparisons between them or leave models out"
        )


def _check_finite(outcomes: _Outcomes) -> None:
    """No direction may make all that was said likelier without end, and each must make a difference.

    Albert and Anderson 1984: such directions are the solutions of a linear programme.
    """
    ahead = outcomes.advantages()
    if np.linalg.matrix_rank(ahead) < ahead.shape[1]:
        raise NotEstimable(
            "the position cannot be told from the models' strengths; show each pair in both orders, or fit without it"
        )
    found = linprog(-ahead.sum(axis=0), A_ub=-ahead, b_ub=np.zeros(len(ahead)), bounds=(-1, 1))
    if -found.fun > SEPARATED:
        raise NotEstimable(
            f"the {len(outcomes.winner)} comparisons are told without error by infinite strengths or weights of ties; "
            "collect more of them"
        )
