"""Wizard of Wikipedia's JSON files (Dinan et al. 2019): the wizard knows passages on the chosen topic."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from modelhub.datasets.episodes import Episode
from modelhub.datasets.errors import MalformedLine
from modelhub.datasets.text_files import entries
from modelhub.dialogue import Skill, Speaker, Utterance

#: What the official files hold where a wizard used no sentence.
NOTHING_CHECKED = "no_passages_used"


def read(path: Path) -> list[Episode]:
    """The file's dialogues in their order. Raises MalformedLine, naming file and entry."""
    return [_episode(path, number, entry) for number, entry in entries(path)]


def _episode(path: Path, number: int, entry: dict[str, Any]) -> Episode:
    try:
        turns = [_turn(turn) for turn in entry["dialog"]]
        persona = entry.get("persona") or ""
        return Episode(
            source=Skill.WOW,
            key=f"wow/{path.stem}/{number - 1}",
            turns=tuple(utterance for utterance, _ in turns),
            worker_persona=(persona,) if persona else (),
            topic=entry["chosen_topic"],
            passage=tuple(entry["chosen_topic_passage"]),
            knowledge=tuple(checked for _, checked in turns),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise MalformedLine(path, f"entry {number}", f"{type(error).__name__}: {error}") from error


def _turn(turn: dict[str, Any]) -> tuple[Utterance, str]:
    if turn["speaker"] not in ("0_Wizard", "1_Wizard", "0_Apprentice", "1_Apprentice"):
        raise ValueError(f"unknown speaker {turn['speaker']!r}")
    is_wizard = turn["speaker"].endswith("Wizard")
    checked = next(iter((turn.get("checked_sentence") or {}).values()), "") if is_wizard else ""
    utterance = Utterance(Speaker.MODEL if is_wizard else Speaker.WORKER, turn["text"])
    return utterance, "" if checked == NOTHING_CHECKED else checked
