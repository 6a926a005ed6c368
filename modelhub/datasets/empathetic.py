"""EmpatheticDialogues' csv files (Rashkin et al. 2019).

Unquoted: commas inside a field are written ``_comma_``, pipes ``_pipe_``. The speaker of a situation says the
utterances with odd ``utterance_idx``, the listener those with even ones. A ninth field, where there is one, lists
candidates parted by pipes.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from modelhub.datasets.episodes import Episode
from modelhub.datasets.errors import MalformedLine
from modelhub.datasets.text_files import lines
from modelhub.dialogue import Skill, Speaker, Utterance

COLUMNS = ("conv_id", "utterance_idx", "context", "prompt", "speaker_idx", "utterance", "selfeval", "tags")


@dataclass(frozen=True, slots=True)
class _Row:
    line: int
    conversation: str
    index: int
    emotion: str
    situation: str
    utterance: str
    candidates: tuple[str, ...]


def read(path: Path) -> list[Episode]:
    """The file's conversations in their order. Raises MalformedLine, naming file and line."""
    rows = [
        _row(path, number, line) for number, line in lines(path) if not (number == 1 and _is_header(line))
    ]
    return [_episode(path, list(group)) for _, group in groupby(rows, key=lambda row: row.conversation)]


def plain(field: str) -> str:
    """A field as it was typed."""
    return field.replace("_comma_", ",").replace("_pipe_", "|")


def _is_header(line: str) -> bool:
    return line.split(",")[: len(COLUMNS)] == list(COLUMNS)


def _row(path: Path, number: int, line: str) -> _Row:
    fields = line.split(",")
    if len(fields) not in (len(COLUMNS), len(COLUMNS) + 1):
        raise MalformedLine(path, number, f"{len(fields)} fields where {len(COLUMNS)} were expected")
    if not fields[1].isdecimal():
        raise MalformedLine(path, number, f"utterance_idx {fields[1]!r} is not a number")
    if not fields[4].isdecimal():
        raise MalformedLine(
            path, number, f"speaker_idx {fields[4]!r} is not a number: a comma must be _comma_"
        )
    if not fields[5].strip():
        raise MalformedLine(path, number, "an empty utterance")
    listed = fields[len(COLUMNS)].split("|") if len(fields) > len(COLUMNS) and fields[len(COLUMNS)] else []
    return _Row(
        line=number,
        conversation=fields[0],
        index=int(fields[1]),
        emotion=fields[2],
        situation=plain(fields[3]),
        utterance=plain(fields[5]),
        candidates=tuple(plain(text) for text in listed),
    )


def _episode(path: Path, rows: list[_Row]) -> Episode:
    for position, row in enumerate(rows, 1):
        if row.index != position:
            raise MalformedLine(path, row.line, f"utterance {row.index} where {position} was expected")
    return Episode(
        source=Skill.ED,
        key=f"ed/{path.stem}/{rows[0].conversation}",
        turns=tuple(
            Utterance(Speaker.WORKER if row.index % 2 else Speaker.MODEL, row.utterance) for row in rows
        ),
        situation=rows[0].situation,
        emotion=rows[0].emotion,
        candidates=tuple(row.candidates for row in rows) if any(row.candidates for row in rows) else (),
    )
