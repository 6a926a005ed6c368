"""Candidates for hits@k where a data set lists none: the label among seeded random other labels. No torch."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

from modelhub.datasets.episodes import Example
from modelhub.datasets.errors import DatasetError

CANDIDATES = 20
#: Each example is asked with so many draws of candidates, and counts with their mean: less noise of the draw.
DRAWS = 5


class TooFewLabels(DatasetError):
    """A split does not hold enough different utterances to draw candidates from."""

    code = "too_few_labels"


@dataclass(frozen=True, slots=True)
class Question:
    """An example with its candidates; the label is the first of them. Scoring must not depend on the order."""

    example: Example
    candidates: tuple[str, ...]


def questions(examples: Sequence[Example], seed: int, size: int = CANDIDATES) -> list[Question]:
    """Each example with its label and ``size - 1`` labels of other dialogues among the examples.

    Other dialogues, because in a small split many drawn at random would come from the same one, and were said
    already. Candidates depend on the seed, the labels and the example's own key alone. Raises TooFewLabels
    when there are not enough different labels.
    """
    labels = sorted({example.label for example in examples})
    own: dict[str, set[str]] = {}
    for example in examples:
        own.setdefault(example.episode, set()).add(example.label)
    return [_question(example, labels, own[example.episode], seed, size - 1) for example in examples]


def drawn_questions(examples: Sequence[Example], seed: int, draws: int = DRAWS) -> list[Question]:
    """Every example ``draws`` times, with other candidates each time; all examples, then all again."""
    return [question for draw in range(draws) for question in questions(examples, seed + draw)]


def _question(example: Example, labels: Sequence[str], own: set[str], seed: int, others: int) -> Question:
    if len(labels) - len(own) < others:
        raise TooFewLabels(
            f"{len(labels)} different utterances are too few to draw {others} beside each label"
        )
    shuffled = random.Random(f"{seed}/{example.dialogue.key}").sample(labels, others + len(own))
    drawn = [label for label in shuffled if label not in own]
    return Question(example, (example.label, *drawn[:others]))
