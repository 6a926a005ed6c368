"""Ordinary least squares with errors clustered by worker, for any design.

CR2 (Bell and McCaffrey 2002) with Satterthwaite's degrees of freedom (Pustejovsky and Tipton 2018), under the working
model of independent errors. A cluster's adjustment (I - H_gg)^(-1/2) is applied in the space of the q columns, where
X' f(X B X') = f(X'X B) X' for any function f, so that large clusters cost no more than small ones.

Shapes: N observations, q columns, G clusters, L contrasts.
"""

from __future__ import annotations

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
class ClusteredFit:
    """Coefficients (q,) and what errors of contrasts need.

    ``bread`` (q, q) is (X'X)^-1, ``meat`` (q, q) the sum of products of adjusted scores. Of each cluster ``adjusted``
    (G, q, q) is X'A X, and ``cross`` (G, q, q) X'A (I - H) A X, which is X'X unless the fit takes a direction of it
    whole; what is missing then is in ``lost`` (some clusters, q, q).
    """

    coefficients: Floats
    bread: Floats
    meat: Floats
    cross: Floats
    adjusted: Floats
    lost: Floats

    @property
    def covariance(self) -> Floats:
        return self.bread @ self.meat @ self.bread

    def contrasts(self, weights: Floats) -> Effects:
        """Weighted sums of coefficients; ``weights`` (L, q) give L of them.

        Error and degrees of freedom are NaN where nothing varies, and where a single cluster fixes the sum.
        """
        loadings = weights @ self.bread  # (L, q)
        variance = np.einsum("lq,qr,lr->l", loadings, self.meat, loadings)
        df = np.array([self._df(loading) for loading in loadings])
        by_one_cluster = (np.abs(self.lost @ loadings.T) > TAKEN).any(axis=(0, 1))
        known = (variance > 0) & np.isfinite(df) & ~by_one_cluster
        return Effects(
            estimate=weights @ self.coefficients,
            error=np.where(known, np.sqrt(np.where(known, variance, 0)), np.nan),
            df=np.where(known, df, np.nan),
        )

    def _df(self, loading: Floats) -> float:
        """(sum_g p_gg)^2 / sum_gh p_gh^2.

        With u_g = X_g'A_g X_g l, p_gh is -u_g' (X'X)^-1 u_h between two clusters, and l'X_g'A_g (I - H_gg) A_g X_g l
        within one.
        """
        turned = self.adjusted @ loading  # (G, q)
        among = turned.T @ turned @ self.bread
        own = np.einsum("gq,qr,gr->g", turned, self.bread, turned)
        whole = np.einsum("q,gqr,r->g", loading, self.cross, loading)
        spread = float(np.sum(among * among.T) - own @ own + whole @ whole)
        return float(whole.sum() ** 2 / spread) if spread > 0 else np.nan


def fit(design: Floats, response: Floats, cluster: Integers) -> ClusteredFit:
    """Regress ``response`` (N,) on ``design`` (N, q); ``cluster`` (N,) says whose each observation is.

    Raises NotEstimable where a column is a sum of others, or there are fewer than two clusters.
    """
    _check_columns(design)
    clusters, group = np.unique(cluster, return_inverse=True)
    if len(clusters) < 2:
        raise NotEstimable(f"{len(clusters)} workers gave all {len(response)} ratings; at least 2 are needed")
    bread = np.linalg.inv(design.T @ design).astype(float)
    coefficients = bread @ (design.T @ response)
    residual = response - design @ coefficients
    order = np.argsort(group, kind="stable")
    cross = _cross(design[order], np.bincount(group))
    scores = np.stack(
        [np.bincount(group, weights=column) for column in (design * residual[:, None]).T], axis=1
    )
    adjustment, kept = _adjustments(cross, bread)
    adjusted_scores = np.einsum("gqr,gr->gq", adjustment, scores)
    return ClusteredFit(
        coefficients=coefficients,
        bread=bread,
        meat=adjusted_scores.T @ adjusted_scores,
        cross=kept @ cross,
        adjusted=adjustment @ cross,
        lost=_lost(cross, kept),
    )


def _cross(design: Floats, sizes: Integers) -> Floats:
    """X'X of each cluster, (G, q, q); rows stand cluster by cluster. Clusters of one size are multiplied together."""
    begins = np.cumsum(sizes) - sizes
    cross = np.empty((len(sizes), design.shape[1], design.shape[1]))
    for size in np.unique(sizes):
        chosen = np.flatnonzero(sizes == size)
        rows = design[begins[chosen][:, None] + np.arange(size)]  # (clusters, size, q)
        cross[chosen] = rows.transpose(0, 2, 1) @ rows
    return cross


def _adjustments(cross: Floats, bread: Floats) -> tuple[Floats, Floats]:
    """(I - X_g'X_g (X'X)^-1)^(-1/2) for each cluster, and which directions it keeps, each (G, q, q).

    Directions that the fit takes whole get zero in both.
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

    return of(weight), of(kept.astype(float))


def _lost(cross: Floats, kept: Floats) -> Floats:
    """X'X of the directions that are taken whole, of the clusters that have any."""
    lost = cross - kept @ cross
    size = np.abs(cross).max(axis=(1, 2))
    return lost[np.abs(lost).max(axis=(1, 2)) > TAKEN * size]


def _check_columns(design: Floats) -> None:
    lengths = np.linalg.norm(design, axis=0)
    own = np.abs(np.diag(np.linalg.qr(design / np.where(lengths > 0, lengths, 1), mode="r")))
    columns = design.shape[1]
    if len(design) <= columns or len(own) < columns or (own < COLLINEAR).any():
        raise NotEstimable(
            f"{len(design)} ratings do not fix {columns} coefficients, or columns "
            f"{np.flatnonzero(own < COLLINEAR).tolist()} are sums of others; leave some out"
        )
