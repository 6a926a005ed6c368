"""A linear model of abusive words: it knows single words, and nothing of how they are meant.

Words are weighed by tf-idf and brought to length one. K linear machines, each trained on another part of the same
data, give a decision value; a logistic curve turns each into a probability (Platt 1999), and their mean is the answer.
The shipped weights are those of alt-profanity-check, which ``packaged`` reads.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.special import expit

from modelhub.errors import CheckpointError
from modelhub.polyencoder.checkpoints import file_sha256, read_tensors, write_tensors

Floats = NDArray[np.float64]

SHIPPED = Path(__file__).resolve().parent / "weights" / "linear"
WEIGHTS, VOCABULARY = "linear.safetensors", "vocabulary.json"
#: Two or more letters, digits or underscores: what the model counted when it was trained.
WORD = re.compile(r"\b\w\w+\b")
#: Axes of the tensors: V words, K machines.
AXES = {"idf": "V", "coefficients": "VK", "intercepts": "K", "slopes": "K", "offsets": "K"}


class LinearModel:
    """Texts -> probabilities. Nothing in it changes, so threads may share one.

    ``idf`` (V,), ``coefficients`` (V, K), ``intercepts``, ``slopes`` and ``offsets`` (K,). A machine's probability is
    1 / (1 + exp(slope * value + offset)), so slopes are negative.
    """

    def __init__(self, vocabulary: Sequence[str], tensors: dict[str, Floats], source: str = "") -> None:
        _check(vocabulary, tensors, source)
        self.vocabulary = tuple(vocabulary)
        self.tensors = tensors
        self._places = {word: place for place, word in enumerate(self.vocabulary)}

    @classmethod
    def load(cls, folder: Path = SHIPPED) -> Self:
        """Raises CheckpointError, naming the file."""
        stored = read_tensors(folder / WEIGHTS)
        tensors = {name: tensor.double().numpy() for name, tensor in stored.items()}
        return cls(_read_vocabulary(folder / VOCABULARY), tensors, f"{folder}: ")

    def save(self, folder: Path) -> None:
        """Write both files; single precision changes probabilities by less than 1e-6. Raises CheckpointError."""
        stored = {name: torch.from_numpy(found).float() for name, found in self.tensors.items()}
        write_tensors(folder / WEIGHTS, stored)
        text = json.dumps(self.vocabulary, ensure_ascii=False, indent=0)
        (folder / VOCABULARY).write_text(text + "\n", encoding="utf-8", newline="\n")

    def probabilities(self, texts: Sequence[str]) -> Floats:
        """(N,): how likely each text is abusive, from 0 to 1."""
        machines = self.tensors["intercepts"].size
        values = np.array([self._value(text) for text in texts]).reshape(len(texts), machines)
        return expit(-(self.tensors["slopes"] * values + self.tensors["offsets"])).mean(axis=1)

    def _value(self, text: str) -> Floats:
        """(K,): the machines' decision values; words that the model never saw count nothing."""
        words = Counter(self._places.get(word, -1) for word in WORD.findall(text.lower()))
        del words[-1]
        if not words:
            return self.tensors["intercepts"]
        places = np.fromiter(words, dtype=np.intp)
        weights = np.fromiter(words.values(), dtype=float) * self.tensors["idf"][places]
        weights /= np.linalg.norm(weights)
        return weights @ self.tensors["coefficients"][places] + self.tensors["intercepts"]


def fingerprint(folder: Path = SHIPPED) -> str:
    """SHA-256 of the weights and of that of the words: a head learns to be read together with both."""
    return f"{file_sha256(folder / WEIGHTS)} {file_sha256(folder / VOCABULARY)}"


def _read_vocabulary(path: Path) -> list[str]:
    try:
        words = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise CheckpointError(
            f"{path}: no list of words ({error}); take the shipped folder again."
        ) from error
    if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
        raise CheckpointError(f"{path}: a JSON list of words is needed; take the shipped folder again.")
    return words


def _check(vocabulary: Sequence[str], tensors: dict[str, Floats], source: str) -> None:
    if set(tensors) != set(AXES):
        raise CheckpointError(f"{source}tensors {sorted(tensors)} came; {sorted(AXES)} are needed.")
    sizes = {"V": len(vocabulary), "K": tensors["intercepts"].size}
    for name, axes in AXES.items():
        expected = tuple(sizes[axis] for axis in axes)
        if tensors[name].shape != expected:
            raise CheckpointError(
                f"{source}{name} is {tensors[name].shape}; for {sizes['V']} words and {sizes['K']} machines it must be "
                f"{expected}. Take weights and words from one build."
            )
