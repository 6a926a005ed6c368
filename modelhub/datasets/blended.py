"""BlendedSkillTalk's JSON files (Smith et al. 2020): a free and a guided worker, seeded with a pair."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from modelhub.datasets.episodes import Episode
from modelhub.datasets.errors import MalformedLine
from modelhub.datasets.text_files import entries
from modelhub.dialogue import Skill, Speaker, Utterance

#: The official names of the data sets that seeds come from.
SEED_SOURCES = {
    "convai2": Skill.CONVAI2,
    "empathetic_dialogues": Skill.ED,
    "wizard_of_wikipedia": Skill.WOW,
}
_SPEAKERS = {0: Speaker.WORKER, 1: Speaker.MODEL}


def read(path: Path) -> list[Episode]:
    """The file's conversations in their order. Raises MalformedLine, naming file and entry."""
    return [_episode(path, number, entry) for number, entry in entries(path)]


def _episode(path: Path, number: int, entry: dict[str, Any]) -> Episode:
    try:
        free, guided = entry["personas"]
        seed_source = entry.get("context_dataset")
        given = entry.get("additional_context") or ""
        return Episode(
            source=Skill.BST,
            key=f"bst/{path.stem}/{number - 1}",
            turns=tuple(Utterance(_SPEAKERS[side], text) for side, text in entry["dialog"]),
            worker_persona=tuple(free),
            model_persona=tuple(guided),
            topic=given if seed_source and SEED_SOURCES[seed_source] is Skill.WOW else "",
            situation=given if seed_source and SEED_SOURCES[seed_source] is Skill.ED else "",
            seeds=(
                Utterance(Speaker.WORKER, entry["free_turker_utterance"]),
                Utterance(Speaker.MODEL, entry["guided_turker_utterance"]),
            ),
            candidates=_candidates(entry),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise MalformedLine(path, f"entry {number}", f"{type(error).__name__}: {error}") from error


def _candidates(entry: dict[str, Any]) -> tuple[tuple[str, ...], ...]:
    """The listed candidates beside each turn; official files list them for guided turns alone."""
    listed = entry.get("label_candidates")
    if not listed:
        return ()
    remaining = iter(listed)
    return tuple(tuple(next(remaining)) if side == 1 else () for side, _ in entry["dialog"])
