"""What a folder of data sets holds: dialogues, examples and every malformed line. No Django."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sized
from dataclasses import dataclass, field
from pathlib import Path

from modelhub.datasets import layout, personas
from modelhub.datasets.episodes import examples_of
from modelhub.datasets.errors import DatasetError, DatasetMissing, MalformedLine
from modelhub.datasets.parlai_text import official_examples
from modelhub.datasets.text_files import Skipped
from modelhub.dialogue import Skill

SHOWN_FAULTS = 20


@dataclass(frozen=True, slots=True)
class Found:
    """One file. ``official`` counts examples of the model's side as published sizes do, ``both_sides`` ours."""

    name: str
    path: Path
    entries: int
    official: int = 0
    both_sides: int = 0
    with_candidates: int = 0
    faults: list[MalformedLine] = field(default_factory=list)
    #: Why nothing of the file can be used.
    refused: str = ""

    @property
    def is_good(self) -> bool:
        return not self.faults and not self.refused


def inventory(folder: Path) -> Iterator[Found]:
    """Every split and persona list that is there; raises DatasetMissing where there is none."""
    found = False
    for skill in Skill:
        for split in layout.SPLITS:
            try:
                path = layout.find(skill, split, folder)
            except DatasetMissing:
                continue
            found = True
            yield _split(skill, split, path)
    for name, (file, read) in _LISTS.items():
        try:
            path = layout.auxiliary(file, folder)
        except DatasetMissing:
            continue
        found = True
        yield _counted(name, path, read)
    if not found:
        raise DatasetMissing(f"{folder} holds no data set; fetch one with fetch_data, or name another folder")


def lines(found: Found) -> Iterator[str]:
    """What there is to say about a file, for a person."""
    if found.refused:
        yield f"{found.name}: refused, {found.refused}"
        return
    text = f"{found.name}: {found.entries:,} in {found.path.name}"
    if found.official:
        text += f", {found.official:,} examples ({found.both_sides:,} of both sides)"
        text += f", {found.with_candidates:,} with candidates" if found.with_candidates else ""
    yield text
    for fault in found.faults[:SHOWN_FAULTS]:
        yield f"  {fault}"
    if len(found.faults) > SHOWN_FAULTS:
        yield f"  and {len(found.faults) - SHOWN_FAULTS:,} more malformed lines"


def _split(skill: Skill, split: str, path: Path) -> Found:
    name = f"{skill.value} {split}"
    skipped: Skipped = []
    try:
        episodes = layout.LAYOUTS[skill].read(path, skipped)
    except DatasetError as error:
        return Found(name, path, 0, faults=skipped, refused=str(error))
    built = [example for episode in episodes for example in official_examples(episode)]
    return Found(
        name=name,
        path=path,
        entries=len(episodes),
        official=len(built),
        both_sides=len(examples_of(episodes, both_sides=True)),
        with_candidates=sum(bool(example.candidates) for example in built),
        faults=skipped,
    )


_ReadList = Callable[[Path, Skipped], Sized]
_LISTS: dict[str, tuple[str, _ReadList]] = {
    "personas": (personas.PERSONAS, personas.read_personas),
    "topics": (personas.TOPICS, personas.read_topics),
    "safe personas": (personas.SAFE, personas.read_safe),
}


def _counted(name: str, path: Path, read: _ReadList) -> Found:
    skipped: Skipped = []
    try:
        return Found(name, path, len(read(path, skipped)), faults=skipped)
    except DatasetError as error:
        return Found(name, path, 0, faults=skipped, refused=str(error))
