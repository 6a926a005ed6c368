"""The safety classifier that ships: the linear model and a head on sentence embeddings, read together.

The linear model knows the words of open abuse and takes every swear word for it; the head knows what is said rather
than how, and misses some plain insults. Each corrects the other.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from modelhub.polyencoder.checkpoints import file_sha256
from modelhub.safety.head import BOTH, CLASSIFIERS, SHIPPED, WEIGHTS, Floats, Head
from modelhub.safety.linear import LinearModel
from modelhub.safety.pieces import highest
from modelhub.safety.sentences import SentenceEncoder
from modelhub.safety.training import made_with


class CombinedClassifier:
    """Texts -> probabilities. Nothing in it changes, so threads may share one."""

    def __init__(self, base: Path, head: Path = SHIPPED, device: str = "cpu") -> None:
        """Raises BaseEncoderMissing, CheckpointError."""
        made = made_with(base)
        self._head = Head.load(head, made)
        self._linear = LinearModel.load()
        self._sentences = SentenceEncoder(base, device)
        self._version = hashlib.sha256(f"{made} {file_sha256(head / WEIGHTS)}".encode()).hexdigest()[:12]

    @property
    def version(self) -> str:
        """Another one whenever a weight, a word, a threshold or the base encoder is another."""
        return f"combined-{self._version}"

    @property
    def thresholds(self) -> dict[str, float]:
        """The threshold of each of CLASSIFIERS."""
        return dict(zip(CLASSIFIERS, self._head.thresholds, strict=True))

    @property
    def default_threshold(self) -> float:
        """From this probability an utterance counts as unsafe: where F1 was highest out of fold, in training.

        There a quarter of the weight was abuse. Where abuse is rarer more of what is found is false alarm;
        docs/quality.md has what other thresholds find.
        """
        return self.thresholds[BOTH]

    def unsafe_probabilities(self, texts: Sequence[str]) -> Floats:
        """(N,): from 0 to 1, by both models together. They mean shares only of texts as mixed as the training set."""
        return highest(texts, lambda pieces: self.answers(pieces)[BOTH])

    def answers(self, texts: Sequence[str]) -> dict[str, Floats]:
        """(N,) of each of CLASSIFIERS, for whole texts."""
        if not texts:
            return {name: np.zeros(0) for name in CLASSIFIERS}
        return self._head.probabilities(self._sentences.embed(texts), self._linear.probabilities(texts))
