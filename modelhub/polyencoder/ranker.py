"""What serving needs of a poly-encoder, whoever trained it: two protocols, no code."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol, Self

import torch
from torch import Tensor


class Ranker(Protocol):
    """A network that ranks candidates for contexts. Axes: B contexts, C candidates, T tokens, D width.

    What stands between a context and its scores is the network's own: views (B, M, D), or more.
    """

    training: bool

    @property
    def width(self) -> int: ...

    @property
    def device(self) -> torch.device: ...

    @property
    def scores_plainly(self) -> bool:
        """Whether ``score`` is the softmax-weighted mean over views (B, M, D), which scoring.py has faster."""
        ...

    def packed(self, dtype: torch.dtype) -> Self:
        """The same network for answering on a CPU, whose encoders multiply in ``dtype``."""
        ...

    def encode_context(self, tokens: Tensor, mask: Tensor) -> Any:
        """(B, T), (B, T) -> what ``score`` takes, and what an index of contexts parts."""
        ...

    def encode_candidates(self, tokens: Tensor, mask: Tensor) -> Tensor:
        """(C, T), (C, T) -> (C, D) in float32."""
        ...

    def score(self, views: Any, candidates: Tensor) -> Tensor:
        """Contexts with one bank (C, D) for all, or with each its own (B, C, D) -> (B, C)."""
        ...


class Texts(Protocol):
    """The tokens of a ranker: contexts and candidates to padded ids (int64) and masks (bool)."""

    def contexts(self, batch: Sequence[Sequence[str]]) -> tuple[Tensor, Tensor]:
        """Each context's lines -> (B, T), (B, T)."""
        ...

    def candidates(self, texts: Sequence[str]) -> tuple[Tensor, Tensor]:
        """Texts -> (C, T), (C, T)."""
        ...

    def lengths(self, texts: Sequence[str]) -> list[int]:
        """Tokens of each text as a candidate, for batches of like lengths."""
        ...
