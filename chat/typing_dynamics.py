"""How a message was typed, without anything of what was typed. No Django here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields

#: The highest count; typing.js stops there too.
MAX_COUNT = 32_767
#: The longest time, a day in milliseconds; typing.js gives no longer one.
MAX_MS = 86_400_000


@dataclass(frozen=True, slots=True)
class TypingDynamics:
    """Counts and times of one message, as its page saw them; ``*_ms`` in milliseconds.

    ``keystrokes`` are keys that write or delete, so that a text with few of them was not typed here.
    ``deletions`` counts acts, of a letter or of a whole selection. What was dropped into the box counts as pasted.
    ``first_key_ms`` runs from the partner's message on the screen (or, where the page was loaded later, from then) to
    the first key or paste, and is 0 for who began before it came; ``typed_ms`` from there to sending.
    ``focus_losses`` counts how often the page was left in all that time.
    """

    keystrokes: int
    deletions: int
    pastes: int
    pasted_characters: int
    first_key_ms: int
    typed_ms: int
    focus_losses: int


#: The highest value of each field; the lowest is 0.
HIGHEST: Mapping[str, int] = {
    field.name: MAX_MS if field.name.endswith("_ms") else MAX_COUNT for field in fields(TypingDynamics)
}
IN_WORDS = f"whole numbers from 0: {', '.join(HIGHEST)}; times to {MAX_MS}, counts to {MAX_COUNT}"


def is_dynamics(value: object) -> bool:
    """Whether a browser's value has exactly the fields of TypingDynamics, each within its limits."""
    if not isinstance(value, dict) or value.keys() != HIGHEST.keys():
        return False
    return all(type(number) is int and 0 <= number <= HIGHEST[name] for name, number in value.items())
