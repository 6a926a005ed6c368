"""Texts as tokens, once for a whole run: end to end in one array, a few bytes a token."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np
import torch
from torch import Tensor

#: Texts that are tokenised together.
CHUNK = 1024
#: Texts -> padded tokens and mask, both (B, T).
Tokenize = Callable[[Sequence[str]], tuple[Tensor, Tensor]]


@dataclass(frozen=True, slots=True, eq=False)
class TokenRows:
    """N texts: row n is ``tokens[starts[n]:starts[n + 1]]``, start and end included."""

    tokens: np.ndarray
    starts: np.ndarray

    def __len__(self) -> int:
        return len(self.starts) - 1

    @property
    def lengths(self) -> np.ndarray:
        """Tokens of each row."""
        return np.diff(self.starts)

    def padded(self, places: np.ndarray) -> tuple[Tensor, Tensor]:
        """Some rows -> tokens (int64) and mask (bool), both (B, T); padded with 0."""
        lengths = self.lengths[places]
        mask = np.arange(lengths.max())[None] < lengths[:, None]
        tokens = np.zeros(mask.shape, dtype=np.int64)
        tokens[mask] = np.concatenate([self.tokens[self.starts[n] : self.starts[n + 1]] for n in places])
        return torch.from_numpy(tokens), torch.from_numpy(mask)

    def digest(self) -> str:
        """SHA-256 of the rows: the same texts, tokens and truncation give the same."""
        return digest(self.starts, self.tokens.astype(np.uint32, copy=False))


def digest(*arrays: np.ndarray) -> str:
    """SHA-256 of their bytes, one after the other."""
    found = hashlib.sha256()
    for array in arrays:
        found.update(np.ascontiguousarray(array).data)
    return found.hexdigest()


def encode(
    texts: Iterable[str], tokenize: Tokenize, progress: Callable[[int], None] | None = None
) -> TokenRows:
    """Tokenise in chunks; ``progress`` is told after each how many texts are done. Texts are read once, in order."""
    parts: list[np.ndarray] = []
    lengths: list[np.ndarray] = []
    done = 0
    for chunk in _chunks(texts):
        tokens, mask = tokenize(chunk)
        found = tokens[mask].numpy()
        parts.append(found.astype(np.uint16 if found.max(initial=0) < 1 << 16 else np.uint32))
        lengths.append(mask.sum(1).numpy())
        done += len(chunk)
        if progress:
            progress(done)
    starts = np.concatenate([[0], *lengths]).cumsum()
    return TokenRows(np.concatenate([np.empty(0, np.uint16), *parts]), starts)


def _chunks(texts: Iterable[str]) -> Iterator[list[str]]:
    waiting = iter(texts)
    while chunk := list(islice(waiting, CHUNK)):
        yield chunk
