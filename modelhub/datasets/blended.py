"""BlendedSkillTalk's JSON files (Smith et al. 2020): a free and a guided worker, seeded with a pair."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

from modelhub.datasets.episodes import Episode
from modelhub.datasets.text_files import (
    BadField,
    Skipped,
    as_list,
    as_text,
    as_texts,
    check_not_empty,
    parsed,
    with_label,
)
from modelhub.dialogue import Skill, Speaker, Utterance

#: The official names of the data sets that seeds come from.
SEED_SOURCES = {
    "convai2": Skill.CONVAI2,
    "empathetic_dialogues": Skill.ED,
    "wizard_of_wikipedia": Skill.WOW,
}
_SPEAKERS = (Speaker.WORKER, Speaker.MODEL)


def read(path: Path, skipped: Skipped | None = None) -> list[Episode]:
    """The file's conversations in their order. Raises MalformedLine and EmptyFile; see text_files."""
    episodes = list(parsed(path, partial(_episode, path.stem), skipped))
    check_not_empty(path, episodes, skipped)
    return episodes


def _episode(split: str, number: int, entry: dict[str, Any]) -> Episode:
    personas = as_list(entry.get("personas"), "personas")
    if len(personas) != 2:
        raise BadField(f"{len(personas)} personas where 2 were expected")
    turns = _turns(entry)
    source = _seed_source(entry)
    given = as_text(entry.get("additional_context") or "", "additional_context")
    return Episode(
        source=Skill.BST,
        key=f"bst/{split}/{number - 1}",
        turns=turns,
        worker_persona=as_texts(personas[0], "the first persona"),
        model_persona=as_texts(personas[1], "the second persona"),
        topic=given if source is Skill.WOW else "",
        situation=given if source is Skill.ED else "",
        seeds=(
            Utterance(Speaker.WORKER, as_text(entry.get("free_turker_utterance"), "free_turker_utterance")),
            Utterance(
                Speaker.MODEL, as_text(entry.get("guided_turker_utterance"), "guided_turker_utterance")
            ),
        ),
        candidates=_candidates(entry, turns),
    )


def _turns(entry: dict[str, Any]) -> tuple[Utterance, ...]:
    """Raises BadField."""
    turns = []
    for place, turn in enumerate(as_list(entry.get("dialog"), "dialog"), 1):
        pair = as_list(turn, f"turn {place}")
        # True is 1 in Python, and no speaker in JSON.
        if len(pair) != 2 or type(pair[0]) is not int or pair[0] not in (0, 1):
            raise BadField(f"turn {place} is not [0 or 1, text]")
        turns.append(Utterance(_SPEAKERS[pair[0]], as_text(pair[1], f"turn {place}")))
    if not turns:
        raise BadField("a dialogue without an utterance")
    return tuple(turns)


def _seed_source(entry: dict[str, Any]) -> Skill | None:
    given = entry.get("context_dataset")
    if given is None:
        return None
    if as_text(given, "context_dataset") not in SEED_SOURCES:
        raise BadField(f"context_dataset is {given!r}, none of {', '.join(SEED_SOURCES)}")
    return SEED_SOURCES[given]


def _candidates(entry: dict[str, Any], turns: tuple[Utterance, ...]) -> tuple[tuple[str, ...], ...]:
    """The listed candidates beside each turn; official files list them for guided turns alone."""
    listed = entry.get("label_candidates")
    if listed is None:
        return ()
    guided = [turn.text for turn in turns if turn.speaker is Speaker.MODEL]
    if len(as_list(listed, "label_candidates")) != len(guided):
        raise BadField(f"{len(listed)} lists of candidates for {len(guided)} guided turns")
    remaining = iter(
        with_label(label, as_texts(each, "label_candidates"), f"the label {label!r}")
        for label, each in zip(guided, listed, strict=True)
    )
    return tuple(next(remaining) if turn.speaker is Speaker.MODEL else () for turn in turns)
