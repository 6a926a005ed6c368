"""Scores in float64 and the ranking by them, for the candidates that a quick pass has left."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from modelhub.errors import CheckpointError
from modelhub.polyencoder.mapped import Mapped

#: Rows that are scored at once; bounds memory. More are looked at in float32 first.
BLOCK = 4096
#: Values below this count as zero: products with them would leave float32's normal range.
LEAST = 1e-30
_BITS = {1: torch.int8, 2: torch.int16, 4: torch.int32, 8: torch.int64}


class Exact:
    """Reads rows of a bank (N, D) and scores them."""

    def __init__(self, embeddings: Tensor, mapped: Mapped | None = None) -> None:
        self._embeddings = embeddings
        self._mapped = mapped
        generator = torch.Generator().manual_seed(1)
        self._weights = torch.randint(2**62, (embeddings.shape[1],), generator=generator) * 2 + 1

    def __len__(self) -> int:
        return len(self._embeddings)

    @property
    def width(self) -> int:
        return self._embeddings.shape[1]

    def scores(self, places: Tensor, views: Tensor) -> Tensor:
        """Places (n,) and one context's views (M, D) in float64 -> (n,) in float64.

        The candidate's own softmax over s = rows @ views weighs s itself (Humeau et al. 2020, section 4.4).
        """
        found = torch.empty(len(places), dtype=torch.float64)
        for start in range(0, len(places), BLOCK):
            s = self._read(places[start : start + BLOCK]).double() @ views.T
            found[start : start + BLOCK] = (s.softmax(-1) * s).sum(-1)
        return found

    def kth(self, places: Tensor, views: Tensor, k: int) -> float:
        """The k-th best score of some places, -inf where there are fewer."""
        if len(places) < k:
            return -torch.inf
        return float(self.scores(places, views).topk(k).values[-1])

    def ranked(self, places: Tensor, views: Tensor, k: int) -> tuple[Tensor, Tensor]:
        """The k best of places in ascending order: scores and places; ties as they stand.

        Of many, who cannot be among them by scores in float32 is left out first: where the softmax is flat, the quick
        pass may leave half of a bank.

        Products of equal rows may differ in the last bit, as they fall into other parts of a matrix product:
        each row gets the best score of its equals.
        """
        if len(places) > max(BLOCK, k):
            places = self._narrowed(places, views, k)
        scores = self.scores(places, views)
        if len(places) == 1:
            return scores, places
        prints, equal = torch.unique(self._fingerprints(places), return_inverse=True)
        if len(prints) < len(places):
            best = scores.new_full((len(prints),), -torch.inf)
            scores = best.scatter_reduce(0, equal, scores, "amax")[equal]
        order = scores.argsort(descending=True, stable=True)[:k]
        return scores[order], places[order]

    def _narrowed(self, places: Tensor, views: Tensor, k: int) -> Tensor:
        """Those of places that may be among the k best."""
        scores, errors = torch.empty(2, len(places), dtype=torch.float64)
        narrow, longest = views.float(), views.norm(dim=1).amax()
        for start in range(0, len(places), BLOCK):
            here = slice(start, start + BLOCK)
            rows = self._read(places[here]).float()
            s = rows @ narrow.T
            scores[here] = (s.softmax(-1) * s).sum(-1)
            lengths = torch.linalg.vector_norm(rows, dim=1, dtype=torch.float64)
            errors[here] = float32_error(lengths * longest, self.width, len(views))
        least = (scores - errors).topk(k).values[-1]
        # Not `>= least`: a score that left float32's range is no number, and stays.
        return places[~(scores + errors < least)]

    def _fingerprints(self, places: Tensor) -> Tensor:
        """(n,) integers, the same for equal rows and, but for a chance of about 2**-60, for no others."""
        found = torch.empty(len(places), dtype=torch.long)
        for start in range(0, len(places), BLOCK):
            rows = self._read(places[start : start + BLOCK]) + 0  # -0.0 becomes 0.0
            bits = rows.view(_BITS[rows.element_size()]).long()
            mixed = bits * self._weights
            # The lowest bits of numbers that are round are all zero: without the higher ones they would say nothing.
            found[start : start + BLOCK] = mixed.bitwise_xor_(mixed >> 32).sum(1)
        return found

    def _read(self, places: Tensor) -> Tensor:
        return self._mapped.take(places) if self._mapped else self._embeddings.index_select(0, places)


def float32_error(lengths: Tensor, width: int, codes: int) -> Tensor:
    """How far a score in float32 may be off, where ``lengths`` are |c| |p| with the longest view p.

    s is off by at most (D + 1) 2**-24 |c| |p| (Higham 2002, section 3.1), and a score by at most 1 + 2 log M times as
    much: its derivative by s_i is w_i (1 + s_i - score) with the softmax's weights w, and sum w_i |s_i - score| is at
    most 2 (max s - score) <= 2 log M, since the score is log sum exp s less the entropy of w. The softmax's own
    rounding is in the 64 that is added to D, and in doubling the whole; LEAST is for what float32 cannot hold.
    """
    return lengths * ((width + 64) * 2.0**-23 * (1 + 2 * math.log(codes))) + LEAST


def refuse_not_finite(rows: Tensor, first: int = 0) -> None:
    """Raises CheckpointError for a row (n, D) with a value that is not finite, counting from ``first``."""
    largest = rows.abs().amax(1)
    if not largest.isfinite().all():
        place = first + int((~largest.isfinite()).nonzero()[0])
        raise CheckpointError(f"row {place} of a bank is not finite; embed the bank again.")
