"""What a recipe learns from: examples of its data sets, and the utterances that its model may answer with."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from modelhub.agents.base import normalise
from modelhub.datasets import layout, personas
from modelhub.datasets.debias import debiased
from modelhub.datasets.episodes import Episode, Example, examples, seen_from_the_other_side
from modelhub.dialogue import Skill
from modelhub.training.recipes import Recipe

#: Data sets in which both speakers show the skill. In WoW only the wizard knows, in ED only the listener feels.
SYMMETRIC = frozenset({Skill.CONVAI2, Skill.BST})


@dataclass(frozen=True, slots=True)
class Task:
    """One data set's part of a recipe."""

    skill: Skill
    train: list[Example]
    valid: list[Example]


def tasks(recipe: Recipe, folder: Path, seed: int) -> list[Task]:
    """The recipe's tasks with both speakers' utterances as labels, debiased where the recipe says so."""
    lists = personas.read(folder) if recipe.debias else None
    return [
        Task(
            skill,
            _examples(layout.read(skill, "train", folder), lists, seed),
            _examples(layout.read(skill, "valid", folder), lists, seed),
        )
        for skill in recipe.tasks
    ]


def bank_texts(recipe: Recipe, folder: Path) -> tuple[list[str], list[str]]:
    """The bank's utterances and the data set of each: the labels of training examples, each text once.

    Labels of the official side alone where only that side shows the skill.
    """
    texts: list[str] = []
    sources: list[str] = []
    seen: set[str] = set()
    for skill in recipe.bank:
        for example in _examples(layout.read(skill, "train", folder), None, 0, both_sides=skill in SYMMETRIC):
            if normalise(example.label) not in seen:
                seen.add(normalise(example.label))
                texts.append(example.label)
                sources.append(skill.value)
    return texts, sources


def _examples(
    episodes: list[Episode], lists: personas.Personas | None, seed: int, *, both_sides: bool = True
) -> list[Example]:
    def sides(episode: Episode) -> Iterator[Episode]:
        yield episode
        if both_sides:
            yield seen_from_the_other_side(episode)

    return [
        example
        for episode in episodes
        for side in sides(episode)
        for example in examples(debiased(side, lists, seed) if lists else side)
    ]
