"""The attention item: one more question about every n-th talk, which asks for a certain number. Pure."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Final
from uuid import UUID

#: The question's name in the form.
NAME: Final = "attention"
LABEL: Final = "The number to choose"
#: Its scale has the ends that a plain scale has.
LOW, HIGH = "lowest", "highest"
NUMBERS = 5
#: It stands between two of the four questions, never first or last.
PLACES = 3


@dataclass(frozen=True, slots=True)
class AttentionItem:
    """``number`` is what to choose, 1 to 5; ``place`` is how many of the axes' questions stand before it, 1 to 3."""

    number: int
    place: int

    @property
    def text(self) -> str:
        return f"To show that you read this, please choose {self.number}."


def attention_item(every: int, ordinal: int, seed: int, talk: UUID) -> AttentionItem | None:
    """The item of a worker's ``ordinal``-th talk, None where none is asked.

    Number and place are drawn by the study's seed and the talk's id, so that each look at the page asks the same.
    """
    if not every or ordinal % every:
        return None
    digest = hashlib.sha256(f"attention {seed} {talk}".encode()).digest()
    number, place = (int.from_bytes(part, "big") for part in (digest[:8], digest[8:16]))
    return AttentionItem(1 + number % NUMBERS, 1 + place % PLACES)
