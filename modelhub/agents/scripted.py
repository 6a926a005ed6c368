"""Replies from a list, in order: for pilots of a study and for tests."""

from __future__ import annotations

import time
from collections.abc import Sequence
from itertools import islice

from modelhub.agents.base import already_said, normalise
from modelhub.dialogue import Dialogue, Reply, Speaker
from modelhub.errors import AgentFailed, NoCandidateLeft


class ScriptedAgent:
    """The n-th reply of a talk is the list's n-th; what was said already is passed over.

    After its end the list begins again, for what was not said. ``delay_s`` makes each batch take that long, to
    show how a slower model feels.
    """

    def __init__(self, replies: Sequence[str], delay_s: float = 0) -> None:
        if not replies or not all(isinstance(text, str) and text.strip() for text in replies):
            raise AgentFailed(
                'a scripted model needs `"replies"`, a list of sentences, in its configuration.'
            )
        self._replies = tuple(replies)
        self._plain = [normalise(text) for text in replies]
        self._delay_s = delay_s

    def reply(self, dialogues: Sequence[Dialogue]) -> list[Reply]:
        """Raises NoCandidateLeft when a talk has used the whole list."""
        time.sleep(self._delay_s)
        return [self._left(dialogue, 1)[0] for dialogue in dialogues]

    def suggest(self, dialogue: Dialogue, n: int) -> list[Reply]:
        return self._left(dialogue, n)

    def _left(self, dialogue: Dialogue, n: int) -> list[Reply]:
        begin = sum(utterance.speaker == Speaker.MODEL for utterance in dialogue.utterances)
        said = already_said(dialogue)
        places = ((begin + step) % len(self._replies) for step in range(len(self._replies)))
        left = list(islice((place for place in places if self._plain[place] not in said), n))
        if not left:
            raise NoCandidateLeft(
                f"All {len(self._replies)} scripted replies were said in this talk of {len(dialogue.said)} "
                "utterances; write a longer script, or set shorter talks."
            )
        return [Reply(self._replies[place], {"candidate": place, "source": "script"}) for place in left]
