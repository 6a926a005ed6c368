"""Ordinary least squares with errors clustered by worker, for any design.

CR2 (Bell and McCaffrey 2002) with Satterthwaite's degrees of freedom (Pustejovsky and Tipton 2018), under the working
model of independent errors. A cluster's adjustment (I - H_gg)^(-1/2) is applied in the space of the q columns, where
X' f(X B X') = f(X'X B) X' for any function f, so that large clusters cost no more than small ones.

Shapes: N observations, q columns, G clusters, L contrasts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import stdtr, stdtrit

from analysis.errors import NotEstimable
from analysis.statistics.means import LEVEL, Floats, Integers, Intervals

#: Parts of a cluster that the fit takes whole, to rounding.
TAKEN = 1e-9
#: A column is a sum of others where less than this share of its length is its own.
COLLINEAR = 1e-9


@dataclass(frozen=True, slots=True)
class Effects:
    """Estimates with clustered errors and degrees of freedom, each (L,)."""

    estimate: Floats
    error: Floats
    df: Floats

    @property
    def p(self) -> Floats:
        """Two-sided p-values."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return 2 * stdtr(self.df, -np.abs(self.estimate / self.error))

    def interval(self, level: float = LEVEL) -> Intervals:
        half = stdtrit(self.df, (1 + level) / 2) * self.error
        return Intervals(low=self.estimate - half, high=self.estimate + half)


@dataclass(frozen=True, slots=True)
class Clustered:
    """A design (N, q) whose rows are of clusters: all that does not depend on a response.

    Columns are divided by their ``lengths`` (q,), so that units do not matter; all else is of the columns so divided.
    ``group`` (N,) numbers the clusters, ``bread`` (q, q) is (X'X)^-1, ``adjustment`` (G, q, q) what scores are
    multiplied with. Of each cluster ``adjusted`` (G, q, q) is X'A X, and ``cross`` (G, q, q) X'A (I - H) A X, which is
    X'X unless the fit takes a direction of it whole; what is missing then is in ``lost`` (some clusters, q, q).
    """

    design: Floats
    lengths: Floats
    group: Integers
    bread: Floats
    adjustment: Floats
    cross: Floats
    adjusted: Floats
    lost: Floats

    @classmethod
    def of(cls, design: Floats, cluster: Integers, names: Sequence[str] = ()) -> Clustered:
        """``cluster`` (N,) says whose each row is; ``names`` are the columns'.

        Raises NotEstimable where a column is a sum of others, or there are fewer than two clusters.
        """
        lengths = np.linalg.norm(design, axis=0)
        design = design / np.where(lengths > 0, lengths, 1)
        _check_columns(design, names or [f"column {place}" for place in range(design.shape[1])])
        clusters, group = np.unique(cluster, return_inverse=True)
        if len(clusters) < 2:
            raise NotEstimable(f"one worker gave all {len(design)} ratings; at least two are needed")
        bread = np.linalg.inv(design.T @ design).astype(float)
        order = np.argsort(group, kind="stable")
        cross = _cross(design[order], np.bincount(group))
        adjustment, kept = _adjustments(cross, bread)
        whole = cross if kept is None else kept @ cross
        return cls(
            design=design,
            lengths=lengths,
            group=group.astype(np.int64),
            bread=bread,
            adjustment=adjustment,
            cross=whole,
            adjusted=adjustment @ cross,
            lost=_lost(cross, whole),
        )

    def fit(self, response: Floats) -> ClusteredFit:
        """Regress ``response`` (N,) on the design."""
        coefficients = self.bread @ (self.design.T @ response)
        scored = self.design * (response - self.design @ coefficients)[:, None]
        scores = np.stack([np.bincount(self.group, weights=column) for column in scored.T], axis=1)
        adjusted = (self.adjustment @ scores[:, :, None])[:, :, 0]
        return ClusteredFit(self, coefficients, adjusted.T @ adjusted)

    def degrees(self, weights: Floats) -> Floats:
        """Degrees of freedom of sums of coefficients with these weights (L, q); NaN where a single cluster fixes one.

        (sum_g p_gg)^2 / sum_gh p_gh^2: with loadings l and u_g = X_g'A_g X_g l, p_gh is -u_g' (X'X)^-1 u_h between
        two clusters, and l'X_g'A_g (I - H_gg) A_g X_g l within one.
        """
        loadings = (self.scaled(weights) @ self.bread).T  # (q, L)
        columns, shape = self.cross.shape[1], (-1, *loadings.shape)
        turned = (self.adjusted.reshape(-1, columns) @ loadings).reshape(shape)  # (G, q, L)
        whole = ((self.cross.reshape(-1, columns) @ loadings).reshape(shape) * loadings).sum(axis=1)  # (G, L)
        found = [self._degrees(turned[:, :, place], own) for place, own in enumerate(whole.T)]
        size = np.abs(self.scaled(weights)).max(axis=1)
        by_one = (np.abs(self.lost @ loadings) > TAKEN * size).any(axis=(0, 1))
        return np.where(by_one, np.nan, found)

    def scaled(self, weights: Floats) -> Floats:
        """Weights of coefficients as those of the columns over their lengths."""
        return weights / self.lengths

    def _degrees(self, turned: Floats, whole: Floats) -> float:
        turned = np.ascontiguousarray(turned)  # (G, q)
        spread_out = turned @ self.bread
        among = turned.T @ spread_out
        own = (spread_out * turned).sum(axis=1)
        spread = float(np.sum(among * among.T) - own @ own + whole @ whole)
        return float(whole.sum() ** 2 / spread) if spread > 0 else np.nan


@dataclass(frozen=True, slots=True)
class ClusteredFit:
    """Coefficients (q,) of the columns over their lengths; ``meat`` (q, q) sums products of their adjusted scores."""

    clustered: Clustered
    coefficients: Floats
    meat: Floats

    @property
    def covariance(self) -> Floats:
        return self.clustered.bread @ self.meat @ self.clustered.bread

    def contrasts(self, weights: Floats, df: Floats | None = None) -> Effects:
        """Weighted sums of coefficients; ``weights`` (L, q) give L of them, ``df`` their degrees where known before.

        Error and degrees of freedom are NaN where nothing varies, and where a single cluster fixes the sum.
        """
        degrees = self.clustered.degrees(weights) if df is None else df
        scaled = self.clustered.scaled(weights)
        variance = np.einsum("lq,qr,lr->l", scaled, self.covariance, scaled)
        known = (variance > 0) & np.isfinite(degrees)
        return Effects(
            estimate=scaled @ self.coefficients,
            error=np.where(known, np.sqrt(np.where(known, variance, 0)), np.nan),
            df=np.where(known, degrees, np.nan),
        )


def fit(design: Floats, response: Floats, cluster: Integers) -> ClusteredFit:
    """One response on one design; raises as ``Clustered.of`` does."""
    return Clustered.of(design, cluster).fit(response)


def _cross(design: Floats, sizes: Integers) -> Floats:
    """X'X of each cluster, (G, q, q); rows stand cluster by cluster. Clusters of one size are multiplied together."""
    begins = np.cumsum(sizes) - sizes
    cross = np.empty((len(sizes), design.shape[1], design.shape[1]))
    for size in np.unique(sizes):
        chosen = np.flatnonzero(sizes == size)
        rows = design[begins[chosen][:, None] + np.arange(size)]  # (clusters, size, q)
        cross[chosen] = rows.transpose(0, 2, 1) @ rows
    return cross


def _adjustments(cross: Floats, bread: Floats) -> tuple[Floats, Floats | None]:
    """(I - X_g'X_g (X'X)^-1)^(-1/2) for each cluster, and which directions it keeps, each (G, q, q).

    Directions that the fit takes whole get zero in both; None where it takes none.
    """
    values, vectors = np.linalg.eigh(bread)
    root, unroot = (vectors * values**power @ vectors.T for power in (0.5, -0.5))
    shares, directions = np.linalg.eigh(
        root @ cross @ root
    )  # shares of each direction that are the cluster's
    kept = 1 - shares > TAKEN
    weight = np.where(kept, 1 / np.sqrt(np.where(kept, 1 - shares, 1)), 0)

    def of(values: Floats) -> Floats:
        return unroot @ (directions * values[:, None, :]) @ directions.transpose(0, 2, 1) @ root

    return of(weight), None if kept.all() else of(kept.astype(float))


def _lost(cross: Floats, kept: Floats) -> Floats:
    """X'X of the directions that are taken whole, of the clusters that have any; ``kept`` is that of the others."""
    if kept is cross:
        return cross[:0]
    lost = cross - kept
    size = np.abs(cross).max(axis=(1, 2))
    return lost[np.abs(lost).max(axis=(1, 2)) > TAKEN * size]


def _check_columns(design: Floats, names: Sequence[str]) -> None:
    own = np.abs(np.diag(np.linalg.qr(design, mode="r")))
    columns = design.shape[1]
    if len(design) <= columns or len(own) < columns:
        raise NotEstimable(f"{len(design)} ratings do not fix {columns} coefficients; more are needed")
    if told := [name for name, length in zip(names, own, strict=True) if length < COLLINEAR]:
        raise NotEstimable(f"{', '.join(told)} cannot be told from what stands before; leave something out")
