"""Models that give themselves away: a talk in which one says what it is was not blind. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from chat.rules import normalise
from ratings.quality.evidence import Flag, Place, TalkWork

#: What a program says of itself, after ``chat.rules.normalise``. "I am a model" alone is what fashion models say.
_KINDS = (
    "ai|artificial intelligence|language model|large language model|chat ?bot|bot|robot|virtual assistant|llm"
)
SELF_DISCLOSURE = re.compile(
    rf"\b(?:as|i am|im|being) (?:just |only |really |actually )?(?:an? )?(?:{_KINDS}|ai language model|ai model)\b"
    r"|\bmy (?:training data|creators|developers|programming)\b"
    r"|\bi was (?:trained|developed|created|programmed) by\b"
)
#: Names shorter than this, such as "ED" or "BST", are said by people for other reasons.
SHORTEST_NAME = 5


class Disclosure:
    """Finds replies in which a model names itself, one of the study's models, or says that it is a program."""

    def __init__(self, names: Iterable[str]) -> None:
        known = {normalise(name) for name in names}
        usable = sorted(re.escape(name) for name in known if len(name) >= SHORTEST_NAME)
        self._names = re.compile(rf"\b(?:{'|'.join(usable)})\b") if usable else None

    def in_text(self, text: str) -> bool:
        plain = normalise(text)
        return bool(SELF_DISCLOSURE.search(plain) or (self._names and self._names.search(plain)))

    @staticmethod
    def flag(talk: TalkWork, positions: Sequence[int]) -> Flag | None:
        if not positions:
            return None
        return Flag(
            "unblinded",
            {"replies": len(talk.heard), "found": len(positions)},
            tuple(Place(talk.talk, position) for position in positions),
            talk=talk.talk,
        )
