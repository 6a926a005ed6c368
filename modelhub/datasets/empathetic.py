"""EmpatheticDialogues' csv files (Rashkin et al. 2019).

Unquoted: commas inside a field are written ``_comma_``, pipes ``_pipe_``. The speaker of a situation says the
utterances with odd ``utterance_idx``, the listener those with even ones. A ninth field, where there is one, lists
candidates parted by pipes; those beside the listener's utterances are read.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from modelhub.datasets.episodes import Episode
from modelhub.datasets.errors import MalformedLine
from modelhub.datasets.text_files import (
    BadField,
    Line,
    Skipped,
    check_not_empty,
    lines,
    refuse_or_skip,
    with_label,
)
from modelhub.dialogue import Skill, Speaker, Utterance

COLUMNS = ("conv_id", "utterance_idx", "context", "prompt", "speaker_idx", "utterance", "selfeval", "tags")


@dataclass(frozen=True, slots=True)
class _Row:
    index: int
    emotion: str
    situation: str
    utterance: str
    candidates: tuple[str, ...]


@dataclass(slots=True)
class _Draft:
    """A conversation while its rows are being read."""

    first_line: int
    rows: list[_Row] = field(default_factory=list)
    is_broken: bool = False


def read(path: Path, skipped: Skipped | None = None) -> list[Episode]:
    """The file's conversations in their order. Raises MalformedLine and EmptyFile; see text_files.

    The rows of a conversation stand together. Where its id comes again later, only those later rows are at fault.
    """
    drafts = _drafts(path, skipped)
    episodes = [_episode(path, key, draft.rows) for key, draft in drafts.items() if not draft.is_broken]
    check_not_empty(path, episodes, skipped)
    return episodes


def plain(field: str) -> str:
    """A field as it was typed."""
    return field.replace("_comma_", ",").replace("_pipe_", "|")


def _drafts(path: Path, skipped: Skipped | None) -> dict[str, _Draft]:
    """Conversations by id; one fault is reported for each."""
    drafts: dict[str, _Draft] = {}
    current, repeated = "", set[str]()
    for line in lines(path):
        if line.number == 1 and _is_header(line.text):
            continue
        fields = line.text.split(",")
        key = fields[0]
        draft = drafts.setdefault(key, _Draft(line.number))
        if draft.is_broken or key in repeated:
            continue
        try:
            if draft.rows and key != current:
                repeated.add(key)
                raise BadField(f"conversation {key} began at line {draft.first_line}; an id may come once")
            draft.rows.append(_row(line, fields, expected=len(draft.rows) + 1))
            current = key
        except BadField as error:
            draft.is_broken = key not in repeated
            refuse_or_skip(MalformedLine(path, line.number, str(error)), skipped)
    return drafts


def _is_header(text: str) -> bool:
    return text.split(",")[: len(COLUMNS)] == list(COLUMNS)


def _row(line: Line, fields: list[str], expected: int) -> _Row:
    if line.fault:
        raise BadField(line.fault)
    if len(fields) not in (len(COLUMNS), len(COLUMNS) + 1):
        raise BadField(f"{len(fields)} fields where {len(COLUMNS)} were expected: a comma must be _comma_")
    for place in (1, 4):
        if not (fields[place].isascii() and fields[place].isdecimal()):
            raise BadField(f"{COLUMNS[place]} {fields[place]!r} is not a number: a comma must be _comma_")
    if int(fields[1]) != expected:
        raise BadField(f"utterance {fields[1]} where {expected} was expected")
    if not fields[5].strip():
        raise BadField("an empty utterance")
    return _Row(
        index=expected,
        emotion=fields[2],
        situation=plain(fields[3]),
        utterance=plain(fields[5]),
        candidates=_candidates(fields, expected),
    )


def _candidates(fields: list[str], index: int) -> tuple[str, ...]:
    listed = fields[len(COLUMNS)] if len(fields) > len(COLUMNS) else ""
    if index % 2 or not listed.strip():
        return ()
    return with_label(plain(fields[5]), [plain(text) for text in listed.split("|")])


def _episode(path: Path, key: str, rows: list[_Row]) -> Episode:
    return Episode(
        source=Skill.ED,
        key=f"ed/{path.stem}/{key}",
        turns=tuple(
            Utterance(Speaker.WORKER if row.index % 2 else Speaker.MODEL, row.utterance) for row in rows
        ),
        situation=rows[0].situation,
        emotion=rows[0].emotion,
        candidates=tuple(row.candidates for row in rows) if any(row.candidates for row in rows) else (),
    )
