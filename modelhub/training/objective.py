"""What fine-tuning is told to learn: a loss over batches, and figures on validation examples."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from torch import Tensor, nn

#: Batches of like lengths are made within stretches of this many.
STRETCH = 32
#: Told what is being done, how much of it is done, and how much there is.
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Figures:
    """Of one validation: the loss in nats, and for each data set or class a share from 0 to 1."""

    loss: float
    shares: dict[str, float]

    @property
    def macro(self) -> float:
        """The mean over data sets or classes, so that none outweighs another."""
        return sum(self.shares.values()) / len(self.shares)


class Objective(Protocol):
    """Examples are named by their places."""

    #: What the figures' shares are.
    measure: str
    network: nn.Module
    #: A batch's inputs -> its mean loss.
    loss: nn.Module
    #: Prefixes of the tensors that start without a meaning.
    fresh: tuple[str, ...]
    #: Of everything that is learnt from.
    digest: str
    #: Examples by data set or class: to learn from, to validate on.
    sizes: dict[str, dict[str, int]]

    def batches(self, epoch: int) -> list[np.ndarray]:
        """One epoch's places; the same epoch always gives the same."""

    def inputs(self, places: np.ndarray) -> tuple[Tensor, ...]:
        """What ``loss`` is called with, on the run's device."""

    def validate(self, progress: Progress) -> Figures:
        """The same figures in every process."""


def batches_of_like_lengths(
    places: np.ndarray, lengths: np.ndarray, size: int, rng: np.random.Generator
) -> list[np.ndarray]:
    """All places once, in random batches of up to ``size`` that differ by one at most; ``lengths`` are the places' own.

    Examples of like lengths come together, which saves padding.
    """
    order = rng.permutation(len(places))
    stretches = np.arange(len(order)) // (size * STRETCH)
    order = order[np.lexsort((lengths[order], stretches))]
    found = np.array_split(places[order], max(1, -(-len(order) // size)))
    return [found[place] for place in rng.permutation(len(found))]


def batches_in_order(lengths: np.ndarray, tokens: int) -> list[np.ndarray]:
    """Places in order of length, parted so that no batch holds more tokens with its padding; for validation."""
    found: list[list[int]] = [[]]
    for place in np.argsort(lengths, kind="stable").tolist():
        if found[-1] and int(lengths[place]) * (len(found[-1]) + 1) > tokens:
            found.append([])
        found[-1].append(place)
    return [np.array(batch) for batch in found if batch]
