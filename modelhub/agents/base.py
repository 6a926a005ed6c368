"""What every agent is, and the rule that no reply repeats what was said."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from modelhub.dialogue import Dialogue, Reply
from modelhub.progress import Progress

#: Texts that a network encodes at once.
BATCH = 64


class Agent(Protocol):
    """Something that answers dialogues, many at once. Called from several threads."""

    def reply(self, dialogues: Sequence[Dialogue]) -> list[Reply]:
        """One reply for each dialogue, in their order. Raises AgentFailed."""
        ...

    def suggest(self, dialogue: Dialogue, n: int) -> list[Reply]:
        """Up to ``n`` different replies, the best first."""
        ...


@runtime_checkable
class CandidateScorer(Protocol):
    """An agent that can also score candidates that are given to it: what benchmarks ask for."""

    def score(
        self,
        dialogues: Sequence[Dialogue],
        candidates: Sequence[Sequence[str]],
        *,
        batch: int = BATCH,
        progress: Progress | None = None,
    ) -> list[list[float]]:
        """Each dialogue's candidates' scores in their order; comparable within a dialogue alone.

        What was said already is scored like anything else. With a ``batch`` of 1 every score is what it is for
        its dialogue and candidate alone; larger ones round otherwise in the last digits.
        """
        ...


def normalise(text: str) -> str:
    """The text without case, punctuation, accents' encoding and spacing: two that agree say the same.

    A text of symbols alone keeps them, so that ":)" and "!" stay different.
    """
    folded = unicodedata.normalize("NFKC", text).casefold()
    words = "".join(c if c.isalnum() else " " if c.isspace() else "" for c in folded).split()
    return " ".join(words) or "".join(folded.split())


def already_said(dialogue: Dialogue) -> frozenset[str]:
    """What no reply may repeat, normalised: seeds and utterances of both speakers."""
    return frozenset(normalise(utterance.text) for utterance in dialogue.said)
