"""What ranks come to: hits@k, MRR, and a standard error that knows dialogues. numpy only.

A rank counts from 1. Ranks come by dialogue: utterances of one dialogue are alike, and are no independent draws.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

#: The ranks of one dialogue's questions, dialogue by dialogue.
RanksByDialogue = Sequence[Sequence[int]]


@dataclass(frozen=True, slots=True)
class Metrics:
    """Shares from 0 to 1. ``standard_error`` is that of hits@1; None where one dialogue gave all questions."""

    hits_at_1: float
    hits_at_5: float
    hits_at_10: float
    mrr: float
    standard_error: float | None


def metrics(ranks: RanksByDialogue) -> Metrics:
    """All of them; there must be a rank."""
    flat = np.array([rank for dialogue in ranks for rank in dialogue])
    hits = [sum(rank == 1 for rank in dialogue) for dialogue in ranks]
    return Metrics(
        hits_at_1=float((flat <= 1).mean()),
        hits_at_5=float((flat <= 5).mean()),
        hits_at_10=float((flat <= 10).mean()),
        mrr=float((1 / flat).mean()),
        standard_error=clustered_error(hits, [len(dialogue) for dialogue in ranks]),
    )


def clustered_error(totals: Iterable[float], counts: Iterable[int]) -> float | None:
    """The standard error of sum(totals) / sum(counts), clusters being independent: CR2 (Bell and McCaffrey 2002).

    With e = total - count * mean and h = 1 - count / n, the variance is sum(e^2 / h) / n^2. None for fewer than
    two clusters.
    """
    total, count = np.array([*totals], dtype=float), np.array([*counts], dtype=float)
    total, count = total[count > 0], count[count > 0]
    if len(count) < 2:
        return None
    n = count.sum()
    # Times n, so that totals without any variance give exactly zero.
    residual = (total * n - count * total.sum()) / n
    return math.sqrt(float((residual**2 / (1 - count / n)).sum())) / float(n)


def grouped(keys: Sequence[str], values: Sequence[int]) -> list[list[int]]:
    """Values by key, in the order in which keys first come."""
    found: dict[str, list[int]] = {}
    for key, value in zip(keys, values, strict=True):
        found.setdefault(key, []).append(value)
    return list(found.values())
