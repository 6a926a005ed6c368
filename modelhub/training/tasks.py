"""What a recipe learns from: examples of its data sets, and the utterances that its model may answer with."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from modelhub.agents.base import normalise
from modelhub.datasets import layout, personas
from modelhub.datasets.debias import debiased
from modelhub.datasets.episodes import Episode, Example, examples, seen_from_the_other_side
from modelhub.dialogue import Skill
from modelhub.training.errors import EmptyData
from modelhub.training.recipes import Recipe

#: Data sets in which both speakers show the skill. In WoW only the wizard knows, in ED only the listener feels.
SYMMETRIC = frozenset({Skill.CONVAI2, Skill.BST})
#: However few examples a run is bounded to, it is validated on so many: hits@1 has a standard error of 2 points then.
LEAST_VALIDATION = 500


@dataclass(frozen=True, slots=True)
class Task:
    """One data set's part of a recipe."""

    skill: Skill
    train: list[Example]
    valid: list[Example]


def tasks(
    recipe: Recipe, folder: Path, seed: int, *, official: bool = False, most: int | None = None
) -> list[Task]:
    """The recipe's tasks, debiased where the recipe says so.

    Labels are both speakers' utterances; with ``official`` those of the official benchmarks: one speaker's, but
    both's to train on in ED. ``most`` bounds a data set's examples: dialogues are drawn by the seed until there are
    so many. Raises DatasetError, EmptyData.
    """
    lists = personas.read(folder) if recipe.debias else None

    def found(skill: Skill, split: str, at_most: int | None) -> list[Example]:
        both_sides = not official or (skill is Skill.ED and split == "train")
        episodes = layout.read(skill, split, folder)
        given = _examples(episodes, lists, seed, both_sides=both_sides, most=at_most)
        if not given:
            path = layout.find(skill, split, folder)
            raise EmptyData(
                f"{path}: {len(episodes)} dialogues, and no utterance in them to learn; give it some"
            )
        return given

    validated = max(most, LEAST_VALIDATION) if most else None
    return [
        Task(skill, found(skill, "train", most), found(skill, "valid", validated)) for skill in recipe.tasks
    ]


def bank_texts(
    recipe: Recipe, folder: Path, seed: int = 0, most: int | None = None
) -> tuple[list[str], list[str]]:
    """The bank's utterances and the data set of each: the labels of training examples, each text once.

    Labels of the official side alone where only that side shows the skill. ``most`` bounds as in ``tasks``.
    """
    return utterances(recipe.bank, folder, "train", seed, most)


def utterances(
    skills: Sequence[Skill], folder: Path, split: str, seed: int = 0, most: int | None = None
) -> tuple[list[str], list[str]]:
    """What was said in a split of data sets, and the data set of each text; otherwise as ``bank_texts``."""
    texts: list[str] = []
    sources: list[str] = []
    seen: set[str] = set()
    for skill in skills:
        episodes = layout.read(skill, split, folder)
        for example in _examples(episodes, None, seed, both_sides=skill in SYMMETRIC, most=most):
            if normalise(example.label) not in seen:
                seen.add(normalise(example.label))
                texts.append(example.label)
                sources.append(skill.value)
    return texts, sources


def _examples(
    episodes: list[Episode],
    lists: personas.Personas | None,
    seed: int,
    *,
    both_sides: bool,
    most: int | None = None,
) -> list[Example]:
    if most:
        episodes = random.Random(seed).sample(episodes, len(episodes))
    found: list[Example] = []
    for episode in episodes:
        for side in _sides(episode, both_sides):
            found.extend(examples(debiased(side, lists, seed) if lists else side))
        if most and len(found) >= most:
            return found[:most]
    return found


def _sides(episode: Episode, both: bool) -> Iterator[Episode]:
    yield episode
    if both:
        yield seen_from_the_other_side(episode)
