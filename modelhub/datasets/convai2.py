"""ConvAI2's text files (Dinan et al. 2019): numbered lines, the number restarts at 1 for each dialogue.

``N your persona: ...`` describes the speaker of the labels; ``N text<TAB>label`` is an exchange, after which
an official file may list candidates (``<TAB><TAB>one|two|...``). An exchange without a label ends a dialogue.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from modelhub.datasets.episodes import Episode
from modelhub.datasets.errors import MalformedLine
from modelhub.datasets.text_files import lines
from modelhub.dialogue import Skill, Speaker, Utterance

PERSONA = "your persona: "
PARTNER_PERSONA = "partner's persona: "


@dataclass(slots=True)
class _Draft:
    """A dialogue while its lines are being read."""

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


def read(path: Path) -> list[Episode]:
    """The file's dialogues in their order. Raises MalformedLine, naming file and line."""
    drafts: list[_Draft] = []
    expected = 1
    for number, line in lines(path):
        index, text = _numbered(path, number, line)
        if index == 1:
            drafts.append(_Draft())
        elif index != expected:
            raise MalformedLine(path, number, f"numbered {index} where {expected} or 1 was expected")
        expected = index + 1
        _add(drafts[-1], path, number, text)
    return [draft.episode(f"convai2/{path.stem}/{position}") for position, draft in enumerate(drafts)]


def _numbered(path: Path, number: int, line: str) -> tuple[int, str]:
    index, _, text = line.partition(" ")
    if not index.isdecimal() or not text.strip():
        raise MalformedLine(path, number, 'not of the form "NUMBER TEXT"')
    return int(index), text


def _add(draft: _Draft, path: Path, number: int, text: str) -> None:
    if text.startswith((PERSONA, PARTNER_PERSONA)):
        if draft.turns:
            raise MalformedLine(path, number, "a persona line after the dialogue began")
        whose = draft.model_persona if text.startswith(PERSONA) else draft.worker_persona
        whose.append(text.partition(": ")[2].strip())
        return
    if draft.turns and draft.turns[-1].speaker is Speaker.WORKER:
        raise MalformedLine(path, number, "the line before has no label, so its dialogue should have ended")
    fields = text.split("\t")
    draft.turns.append(Utterance(Speaker.WORKER, fields[0]))
    draft.candidates.append(())
    if len(fields) == 1:
        return
    if not fields[1].strip():
        raise MalformedLine(path, number, "an empty label")
    draft.turns.append(Utterance(Speaker.MODEL, fields[1]))
    listed = tuple(fields[3].split("|")) if len(fields) > 3 else ()
    if listed and fields[1] not in listed:
        raise MalformedLine(path, number, "the label is not among its candidates")
    draft.candidates.append(listed)
