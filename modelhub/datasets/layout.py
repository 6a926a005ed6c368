"""Where a folder of data sets keeps each split: under our short names, or as the official archives unpack."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from modelhub.datasets import blended, convai2, empathetic, wizard
from modelhub.datasets.episodes import Episode
from modelhub.datasets.errors import DatasetMissing
from modelhub.datasets.text_files import Skipped
from modelhub.dialogue import Skill

#: The corpus that comes with the project.
STARTER = Path(__file__).resolve().parent / "starter"
SPLITS = ("train", "valid", "test")


class _Reader(Protocol):
    def __call__(self, path: Path, skipped: Skipped | None = None) -> list[Episode]: ...


@dataclass(frozen=True, slots=True)
class _Layout:
    folders: tuple[str, ...]
    files: tuple[str, ...]
    read: _Reader


LAYOUTS = {
    Skill.CONVAI2: _Layout(
        ("convai2", "ConvAI2"),
        ("{split}.txt", "{split}_self_original.txt", "{split}_self_original_no_cands.txt"),
        convai2.read,
    ),
    Skill.WOW: _Layout(
        ("wow", "wizard_of_wikipedia"), ("{split}.json", "{split}_random_split.json"), wizard.read
    ),
    Skill.ED: _Layout(("ed", "empatheticdialogues"), ("{split}.csv",), empathetic.read),
    Skill.BST: _Layout(("bst", "blended_skill_talk"), ("{split}.json",), blended.read),
}


def find(skill: Skill, split: str, folder: Path = STARTER) -> Path:
    """The file of one split. Raises DatasetMissing, naming the places where it was looked for."""
    layout = LAYOUTS[skill]
    places = [
        folder / name / pattern.format(split=split) for name in layout.folders for pattern in layout.files
    ]
    for place in places:
        if place.is_file():
            return place
    looked = ", ".join(str(place.relative_to(folder)) for place in places)
    raise DatasetMissing(f"{folder} has no {split} split of {skill.value}; looked for {looked}")


def installed(folder: Path, split: str) -> list[Skill]:
    """The data sets of which a folder has a split."""
    found = []
    for skill in Skill:
        try:
            find(skill, split, folder)
        except DatasetMissing:
            continue
        found.append(skill)
    return found


def read(skill: Skill, split: str, folder: Path = STARTER, skipped: Skipped | None = None) -> list[Episode]:
    """One split of one data set.

    The first malformed line raises MalformedLine; with ``skipped`` its dialogue is left out and the fault is added
    to that list. Raises DatasetMissing, and EmptyFile where no dialogue is left.
    """
    return LAYOUTS[skill].read(find(skill, split, folder), skipped)


def auxiliary(name: str, folder: Path = STARTER) -> Path:
    """A persona or topic list: beside the data sets, or in BST's folder as the official archive has it."""
    places = [folder / name, *(folder / each / name for each in LAYOUTS[Skill.BST].folders)]
    for place in places:
        if place.is_file():
            return place
    raise DatasetMissing(f"{folder} has no {name}; it belongs to BlendedSkillTalk's files")
