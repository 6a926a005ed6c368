"""Work of workers, written out for tests of rules."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID, uuid5

from chat.typing_dynamics import TypingDynamics
from ratings.quality.evidence import Said, TalkWork, WorkerWork

SPACE = UUID("6ba7b812-9dad-11d1-80b4-00c04fd430c8")
FOUR = {"knowledge": 4, "empathy": 3, "personal": 2, "overall": 4}


def talk(*texts: str, name: str = "talk", heard: Sequence[str] = (), **other: object) -> TalkWork:
    """A talk in which the worker says these texts, at positions 1, 3, 5 and so on."""
    given: dict = {"model": 0, "scores": FOUR, "seconds": 300.0} | other
    return TalkWork(
        talk=uuid5(SPACE, name),
        said=tuple(Said(2 * i + 1, text) for i, text in enumerate(texts)),
        heard=tuple((2 * i + 2, text) for i, text in enumerate(heard)),
        **given,
    )


def work(*talks: TalkWork) -> WorkerWork:
    return WorkerWork(uuid5(SPACE, "worker"), talks)


def one(*texts: str) -> WorkerWork:
    return work(talk(*texts))


def typed(text: str, keystrokes: int, ms: int, pastes: int = 0, pasted: int = 0) -> Said:
    return Said(1, text, typing=TypingDynamics(keystrokes, 0, pastes, pasted, 500, ms, 0))
