"""Long texts in pieces: encoders read so many tokens, and one sentence of abuse is lost in the mean of a long text."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

#: About 130 tokens of English, half of what the base encoder reads.
MOST_WORDS = 100


def highest(texts: Sequence[str], probabilities: Callable[[Sequence[str]], Floats]) -> Floats:
    """(N,): a text's probability is the highest of its pieces'."""
    if not texts:
        return np.zeros(0)
    parted = [pieces(text) for text in texts]
    found = probabilities([piece for each in parted for piece in each])
    starts = np.cumsum([0, *(len(each) for each in parted[:-1])])
    return np.maximum.reduceat(found, starts)


def pieces(text: str) -> list[str]:
    """At least one; a text of up to MOST_WORDS words as it is."""
    words = text.split()
    if len(words) <= MOST_WORDS:
        return [text]
    return [" ".join(words[start : start + MOST_WORDS]) for start in range(0, len(words), MOST_WORDS)]
