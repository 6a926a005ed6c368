"""Rules about one message. Pure: no Django, no database.

The page has a twin of ``check_message`` in JavaScript; ``tests/chat/rule_cases.json`` holds the cases that
both must decide alike. What the twin must copy:

- words are parted by Python's white space: ``[\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f
  \\u205f\\u3000]`` (JavaScript's ``\\s`` differs in a few);
- ``normalise``: NFKC, lower case, apostrophes removed, everything but letters and digits to one space;
- the length limit counts code points.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

#: Thirty long words fit; a paste without spaces does not.
MAX_CHARACTERS = 1000
#: As ``str.isalnum`` decides, which ``\w`` does too but for the underscore.
NO_LETTERS_OR_DIGITS = re.compile(r"[\W_]+")
APOSTROPHES = dict.fromkeys(map(ord, "'\u2019\u02bc`"))
#: What ``normalise`` makes of each ASCII character but apostrophes: bytes are changed many times faster than text.
_PLAIN = bytes(ord(chr(c).lower()) if chr(c).isalnum() else ord(" ") for c in range(128)) + bytes(128)


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a message is not taken: a stable code and a sentence for the person."""

    code: str
    reason: str


def count_words(text: str) -> int:
    return len(text.split())


def normalise(text: str) -> str:
    """Letters and digits in lower case, parted by single spaces: what is left when looks are taken away."""
    if text.isascii():  # as most text is, and it has no other form
        return " ".join(text.encode("ascii").translate(_PLAIN, b"'`").decode("ascii").split())
    plain = unicodedata.normalize("NFKC", text)
    return NO_LETTERS_OR_DIGITS.sub(" ", plain.lower().translate(APOSTROPHES)).strip()


def copies_persona(text: str, personas: Iterable[str]) -> bool:
    """Whether the message holds a whole persona sentence, whatever its case and punctuation."""
    message = f" {normalise(text)} "
    return any(f" {sentence} " in message for persona in personas if (sentence := normalise(persona)))


def check_message(text: str, *, max_words: int, personas: Iterable[str]) -> Refusal | None:
    """The first rule that the text breaks, or None (Smith et al. 2020, section 3.1: words and personas)."""
    words = count_words(text)
    if not words:
        return Refusal("empty", "Please write something.")
    if words > max_words:
        return Refusal("too_long", f"{words} words; please use at most {max_words}.")
    if len(text) > MAX_CHARACTERS:
        return Refusal("too_long", f"{len(text)} characters; please use at most {MAX_CHARACTERS}.")
    if copies_persona(text, personas):
        return Refusal("persona_copy", "Please use your own words instead of copying your character's.")
    return None
