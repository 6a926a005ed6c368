"""A logistic head on sentence embeddings, and how it and the linear model are read together.

``head.safetensors``: ``weight`` (D,), ``bias`` (1,), ``mixing`` (3,) and ``thresholds`` (3,), with a note of the base
encoder and the linear model that they were made with: with others they would answer nonsense without saying so.
``training.json`` beside it says what it was trained on, and is never read by a site.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.special import expit, logit

from modelhub.errors import CheckpointError
from modelhub.polyencoder.checkpoints import read_metadata, read_tensors, write_tensors

Floats = NDArray[np.float64]

SHIPPED = Path(__file__).resolve().parent / "weights" / "head"
WEIGHTS, RECORD = "head.safetensors", "training.json"
#: The classifiers that one head makes: the order of ``thresholds``.
LINEAR, HEAD, BOTH = CLASSIFIERS = ("linear model alone", "head alone", "both")
#: The linear model's certainty is bounded: its curves are so steep that a swear word would leave the head no say.
LEAST_PROBABILITY = 1e-3


@dataclass(frozen=True, slots=True, eq=False)
class Head:
    """``weight`` (D,); ``mixing`` weighs the head's and the linear model's log-odds, and adds a constant.

    ``thresholds`` are probabilities, in the order of CLASSIFIERS, from which an utterance counts as unsafe.
    """

    weight: Floats
    bias: float
    mixing: Floats
    thresholds: tuple[float, ...]
    made_with: str = ""

    def log_odds(self, embeddings: NDArray[np.float32]) -> Floats:
        """(N, D) -> (N,)"""
        return embeddings.astype(np.float64) @ self.weight + self.bias

    def probabilities(self, embeddings: NDArray[np.float32], linear: Floats) -> dict[str, Floats]:
        """Embeddings (N, D) and the linear model's probabilities (N,) -> (N,) of each of CLASSIFIERS."""
        own = self.log_odds(embeddings)
        return {LINEAR: linear, HEAD: expit(own), BOTH: expit(mixed(own, linear) @ self.mixing)}

    def save(self, folder: Path) -> None:
        """Raises CheckpointError."""
        folder.mkdir(parents=True, exist_ok=True)
        arrays = {
            "weight": self.weight,
            "bias": np.array([self.bias]),
            "mixing": self.mixing,
            "thresholds": np.array(self.thresholds),
        }
        tensors = {name: torch.from_numpy(np.asarray(array)).float() for name, array in arrays.items()}
        write_tensors(folder / WEIGHTS, tensors, {"made_with": self.made_with})

    @classmethod
    def load(cls, folder: Path, made_with: str) -> Self:
        """Raises CheckpointError, where base encoder or linear model are not those of ``made_with`` too."""
        path = folder / WEIGHTS
        arrays = {name: tensor.double().numpy() for name, tensor in read_tensors(path).items()}
        shapes = {name: array.shape for name, array in arrays.items()}
        width = arrays["weight"].size if "weight" in arrays else 0
        if shapes != {"weight": (width,), "bias": (1,), "mixing": (3,), "thresholds": (len(CLASSIFIERS),)}:
            raise CheckpointError(f"{path}: no safety head (tensors {shapes}); train one with train_safety.")
        if read_metadata(path).get("made_with") != made_with:
            raise CheckpointError(
                f"{path}: trained on another base encoder or linear model; set BASE_ENCODER to the one it was trained "
                "on, or train a head for this one: manage.py train_safety --out DIR, and SAFETY_CLASSIFIER=DIR."
            )
        # Stored in single precision: 0.4 must be 0.4 again.
        thresholds = tuple(round(float(value), 4) for value in arrays["thresholds"])
        return cls(arrays["weight"], float(arrays["bias"][0]), arrays["mixing"], thresholds, made_with)


def mixed(head_log_odds: Floats, linear: Floats) -> Floats:
    """The head's log-odds (N,) and the linear model's probabilities (N,) -> (N, 3): what ``mixing`` weighs."""
    bounded = np.clip(linear, LEAST_PROBABILITY, 1 - LEAST_PROBABILITY)
    return np.stack([head_log_odds, logit(bounded), np.ones(len(linear))], axis=1)
