"""A paired bootstrap over dialogues for the difference of two models' hits@1. numpy only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from modelhub.benchmarks.hits import Hit

RESAMPLES = 10_000
LEVEL = 0.95
#: Dialogues drawn at once: bounds the memory of a bootstrap.
PICKED_AT_ONCE = 1 << 22


@dataclass(frozen=True, slots=True)
class Difference:
    """A difference of shares with its percentile interval (Efron 1979), in shares from -1 to 1."""

    value: float
    lower: float
    upper: float


def paired_difference(
    tasks: Sequence[tuple[Sequence[Hit], Sequence[Hit]]], seed: int, resamples: int = RESAMPLES
) -> Difference:
    """hits@1 of the first model minus that of the second; the mean over tasks.

    Each task gives both models' hits on the same questions in the same order. Dialogues are drawn with
    replacement within a task, so that utterances of one dialogue stay together.
    """
    return difference_by_dialogue([_by_dialogue(ours, theirs) for ours, theirs in tasks], seed, resamples)


def difference_by_dialogue(
    tasks: Sequence[tuple[np.ndarray, np.ndarray]], seed: int, resamples: int = RESAMPLES
) -> Difference:
    """As ``paired_difference``; each task gives, per dialogue, the first model's additional hits and the questions."""
    rng = np.random.default_rng(seed)
    drawn = np.zeros(resamples)
    value = 0.0
    for gains, counts in tasks:
        drawn += _resampled(gains, counts, rng, resamples) / len(tasks)
        value += gains.sum() / counts.sum() / len(tasks)
    tail = (1 - LEVEL) / 2
    lower, upper = np.quantile(drawn, [tail, 1 - tail])
    return Difference(float(value), float(lower), float(upper))


def _resampled(gains: np.ndarray, counts: np.ndarray, rng: np.random.Generator, resamples: int) -> np.ndarray:
    """(resamples,) differences, drawn a part at a time: all picks of large data sets take gigabytes."""
    at_once = max(1, PICKED_AT_ONCE // len(gains))
    drawn = []
    for start in range(0, resamples, at_once):
        picks = rng.integers(len(gains), size=(min(at_once, resamples - start), len(gains)))
        drawn.append(gains[picks].sum(axis=1) / counts[picks].sum(axis=1))
    return np.concatenate(drawn)


def _by_dialogue(ours: Sequence[Hit], theirs: Sequence[Hit]) -> tuple[np.ndarray, np.ndarray]:
    """Per dialogue: how many more hits the first model has, and how many questions there are."""
    if [hit.episode for hit in ours] != [hit.episode for hit in theirs]:
        raise ValueError("both models must have answered the same questions in the same order")
    episodes = sorted({hit.episode for hit in ours})
    place = {episode: index for index, episode in enumerate(episodes)}
    gains, counts = np.zeros(len(episodes)), np.zeros(len(episodes))
    for our, their in zip(ours, theirs, strict=True):
        gains[place[our.episode]] += int(our.hit) - int(their.hit)
        counts[place[our.episode]] += 1
    return gains, counts
