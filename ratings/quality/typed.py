"""Signs that a text was not typed by the worker: reasons to look, never proof. Pure.

People paste for good reasons (a phone's suggestions, a dictated text, a translation), and programs help people write;
what is here asks a person to read the messages that it names.
"""

from __future__ import annotations

import re

from chat.rules import APOSTROPHES
from ratings.quality.evidence import Flag, Place, Said, TalkWork, WorkerWork

#: A typist of 120 words a minute writes some ten characters a second; nobody keeps twenty up.
FASTEST_CHARACTERS_PER_S = 20.0
#: Fewer characters are typed in a burst, or chosen from a phone's suggestions.
FEWEST_CHARACTERS = 30
#: Stock phrases of assistants, without apostrophes, in lower case.
PHRASES = (
    "as an ai",
    "im here to help",
    "im happy to help",
    "im happy to assist",
    "certainly!",
    "great question",
    "its important to note",
    "its worth noting",
    "in conclusion,",
    "**",
    "\u2014",
)
#: A list, in a small chat box.
LISTED = re.compile(r"^\s*(?:[-*\u2022]|\d+\.)\s", re.MULTILINE)


def pasted_text(work: WorkerWork, share: float) -> Flag | None:
    """Messages that came in by pasting, or faster than anybody types, are at least ``share`` of those watched.

    Only messages of which the page told how they were typed are counted; at least two must be found.
    """
    watched = [(talk, said) for talk in work.talks for said in talk.said if said.typing is not None]
    found = [(talk, said) for talk, said in watched if is_untyped(said)]
    if len(found) < max(2, share * len(watched)):
        return None
    return _flag("pasted_text", found, {"watched": len(watched), "share": len(found) / len(watched)})


def is_untyped(said: Said) -> bool:
    """Whether most of a message of some length was pasted, or typed faster than twenty characters a second."""
    typing, length = said.typing, len(said.text)
    if typing is None or length < FEWEST_CHARACTERS:
        return False
    if typing.pastes and typing.pasted_characters >= length / 2:
        return True
    return typing.keystrokes > 0 and length > FASTEST_CHARACTERS_PER_S * typing.typed_ms / 1000


def generated_text(work: WorkerWork, fewest: float) -> Flag | None:
    """At least ``fewest`` messages read as assistants write."""
    found = [(talk, said) for talk in work.talks for said in talk.said if reads_as_generated(said.text)]
    if len(found) < fewest:
        return None
    return _flag("generated_text", found, {"messages": work.messages})


def reads_as_generated(text: str) -> bool:
    """Whether it holds what assistants write and hardly any evaluator: stock phrases, lists, headings, long dashes."""
    plain = text.lower()
    # Deleting by a table is slow where there is nothing to delete.
    plain = plain.replace("'", "").replace("`", "") if plain.isascii() else plain.translate(APOSTROPHES)
    return any(phrase in plain for phrase in PHRASES) or bool(LISTED.search(text))


def _flag(rule: str, found: list[tuple[TalkWork, Said]], numbers: dict[str, float | int | str]) -> Flag:
    return Flag(
        rule, {"found": len(found), **numbers}, tuple(Place(talk.talk, said.position) for talk, said in found)
    )
