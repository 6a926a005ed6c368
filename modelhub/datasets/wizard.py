"""Wizard of Wikipedia's JSON files (Dinan et al. 2019): the wizard knows passages on the chosen topic."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

from modelhub.datasets.episodes import Episode
from modelhub.datasets.text_files import (
    BadField,
    Skipped,
    as_list,
    as_object,
    as_text,
    as_texts,
    check_not_empty,
    parsed,
    with_label,
)
from modelhub.dialogue import Skill, Speaker, Utterance

#: What the official files hold where a wizard used no sentence.
NOTHING_CHECKED = "no_passages_used"
_SPEAKERS = {
    "0_Wizard": Speaker.MODEL,
    "1_Wizard": Speaker.MODEL,
    "0_Apprentice": Speaker.WORKER,
    "1_Apprentice": Speaker.WORKER,
}


def read(path: Path, skipped: Skipped | None = None) -> list[Episode]:
    """The file's dialogues in their order. Raises MalformedLine and EmptyFile; see text_files."""
    episodes = list(parsed(path, partial(_episode, path.stem), skipped))
    check_not_empty(path, episodes, skipped)
    return episodes


def _episode(split: str, number: int, entry: dict[str, Any]) -> Episode:
    given = [
        as_object(turn, f"turn {place}")
        for place, turn in enumerate(as_list(entry.get("dialog"), "dialog"), 1)
    ]
    if not given:
        raise BadField("a dialogue without an utterance")
    turns = tuple(_turn(turn, f"turn {place}") for place, turn in enumerate(given, 1))
    candidates = tuple(
        _candidates(turn, said, f"turn {place}")
        for place, (turn, said) in enumerate(zip(given, turns, strict=True), 1)
    )
    persona = as_text(entry.get("persona") or "", "persona")
    return Episode(
        source=Skill.WOW,
        key=f"wow/{split}/{number - 1}",
        turns=turns,
        worker_persona=(persona,) if persona else (),
        topic=as_text(entry.get("chosen_topic"), "chosen_topic"),
        passage=as_texts(entry.get("chosen_topic_passage"), "chosen_topic_passage"),
        knowledge=tuple(
            _checked(turn, said, f"turn {place}")
            for place, (turn, said) in enumerate(zip(given, turns, strict=True), 1)
        ),
        candidates=candidates if any(candidates) else (),
    )


def _turn(turn: dict[str, Any], what: str) -> Utterance:
    speaker = as_text(turn.get("speaker"), f"the speaker of {what}")
    if speaker not in _SPEAKERS:
        raise BadField(f"unknown speaker {speaker!r} of {what}")
    return Utterance(_SPEAKERS[speaker], as_text(turn.get("text"), f"the text of {what}"))


def _checked(turn: dict[str, Any], said: Utterance, what: str) -> str:
    """The sentence behind a wizard's turn; "" for none, and for apprentices."""
    if said.speaker is not Speaker.MODEL:
        return ""
    checked = as_object(turn.get("checked_sentence") or {}, f"checked_sentence of {what}")
    sentence = as_text(next(iter(checked.values()), ""), f"checked_sentence of {what}")
    return "" if sentence == NOTHING_CHECKED else sentence


def _candidates(turn: dict[str, Any], said: Utterance, what: str) -> tuple[str, ...]:
    """What the wizard could have said; the official valid and test files list it."""
    listed = turn.get("candidate_responses")
    if said.speaker is not Speaker.MODEL or not listed:
        return ()
    return with_label(said.text, as_texts(listed, f"candidate_responses of {what}"), f"the label of {what}")
