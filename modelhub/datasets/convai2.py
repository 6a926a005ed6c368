"""ConvAI2's text files (Dinan et al. 2019): numbered lines, the number restarts at 1 for each dialogue.

``N your persona: ...`` describes the speaker of the labels; ``N text<TAB>label`` is an exchange, after which
an official file may list candidates (``<TAB><TAB>one|two|...``). An exchange without a label ends a dialogue.
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

PERSONA = "your persona: "
PARTNER_PERSONA = "partner's persona: "


@dataclass(slots=True)
class _Draft:
    """A dialogue while its lines are being read."""

    first_line: int
    last_index: int = 0
    is_broken: bool = False
    model_persona: list[str] = field(default_factory=list)
    worker_persona: list[str] = field(default_factory=list)
    turns: list[Utterance] = field(default_factory=list)
    candidates: list[tuple[str, ...]] = field(default_factory=list)

    def episode(self, key: str) -> Episode:
        return Episode(
            source=Skill.CONVAI2,
            key=key,
            turns=tuple(self.turns),
            worker_persona=tuple(self.worker_persona),
            model_persona=tuple(self.model_persona),
            candidates=tuple(self.candidates) if any(self.candidates) else (),
        )


def read(path: Path, skipped: Skipped | None = None) -> list[Episode]:
    """The file's dialogues in their order. Raises MalformedLine and EmptyFile; see text_files.

    After a malformed line a dialogue is not read on; the next one begins with the next line numbered 1.
    """
    drafts = _drafts(path, skipped)
    for draft in drafts:
        if not draft.turns and not draft.is_broken:
            draft.is_broken = True
            refuse_or_skip(MalformedLine(path, draft.first_line, "a dialogue without an utterance"), skipped)
    episodes = [
        draft.episode(f"convai2/{path.stem}/{position}")
        for position, draft in enumerate(drafts)
        if not draft.is_broken
    ]
    check_not_empty(path, episodes, skipped)
    return episodes


def _drafts(path: Path, skipped: Skipped | None) -> list[_Draft]:
    drafts: list[_Draft] = []
    for line in lines(path):
        index, _, text = line.text.partition(" ")
        if index == "1" or not drafts:
            drafts.append(_Draft(line.number))
        draft = drafts[-1]
        if draft.is_broken:
            continue
        try:
            _check_number(draft, line)
            _add(draft, text)
        except BadField as error:
            draft.is_broken = True
            refuse_or_skip(MalformedLine(path, line.number, str(error)), skipped)
    return drafts


def _check_number(draft: _Draft, line: Line) -> None:
    if line.fault:
        raise BadField(line.fault)
    index, _, text = line.text.partition(" ")
    # isdecimal alone would take the digits of other scripts.
    if not (index.isascii() and index.isdecimal()) or not text.strip():
        raise BadField('not of the form "NUMBER TEXT"')
    expected = draft.last_index + 1
    if index != str(expected):
        either = "1" if expected == 1 else f"{expected} or 1"
        raise BadField(f"numbered {index} where {either} was expected")
    draft.last_index = expected


def _add(draft: _Draft, text: str) -> None:
    if text.startswith((PERSONA, PARTNER_PERSONA)):
        if draft.turns:
            raise BadField("a persona line after the dialogue began")
        whose = draft.model_persona if text.startswith(PERSONA) else draft.worker_persona
        whose.append(text.partition(": ")[2].strip())
        return
    if draft.turns and draft.turns[-1].speaker is Speaker.WORKER:
        raise BadField("the line before has no label, so its dialogue should have ended")
    fields = text.split("\t")
    if not fields[0].strip():
        raise BadField("an empty utterance")
    draft.turns.append(Utterance(Speaker.WORKER, fields[0]))
    draft.candidates.append(())
    if len(fields) > 1:
        _answer(draft, fields)


def _answer(draft: _Draft, fields: list[str]) -> None:
    """The label and, in the fourth field, its candidates; the third is a reward that is not used."""
    label = fields[1]
    if not label.strip():
        raise BadField("an empty label")
    if len(fields) > 4:
        raise BadField(f"{len(fields)} fields parted by tabs where 4 at most were expected")
    listed = fields[3].split("|") if len(fields) == 4 else []
    draft.turns.append(Utterance(Speaker.MODEL, label))
    draft.candidates.append(with_label(label, listed) if listed else ())
