"""What rules look at, and what they find: frozen values without Django."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import UUID

from chat.typing_dynamics import TypingDynamics


@dataclass(frozen=True, slots=True)
class Said:
    """A worker's message: where it stands in the talk, and what is known of it.

    ``unsafe`` is the safety classifier's probability, None where it has not looked.
    """

    position: int
    text: str
    unsafe: float | None = None
    typing: TypingDynamics | None = None


@dataclass(frozen=True, slots=True)
class TalkWork:
    """One finished talk of a worker. ``scores`` go by axis, and are read of gold talks alone; ``seconds`` go from its
    beginning to its ratings.

    ``model`` is the arm's number. ``heard`` are the partner's messages with their positions. ``opened`` says whether
    there were utterances before the worker's first. ``refused`` counts messages that were refused, by their code.
    ``asked`` and ``given`` are what an attention item asked for and got, None where there was none. ``expected`` has,
    of a gold talk, the lowest and the highest score that any attentive person would give, by axis.
    """

    talk: UUID
    model: int
    said: tuple[Said, ...]
    scores: Mapping[str, int]
    seconds: float
    heard: tuple[tuple[int, str], ...] = ()
    opened: bool = True
    refused: Mapping[str, int] = field(default_factory=dict)
    asked: int | None = None
    given: int | None = None
    expected: Mapping[str, tuple[int, int]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class WorkerWork:
    """Everything that one worker finished in one study, in the order in which it began."""

    participation: UUID
    talks: tuple[TalkWork, ...]

    @property
    def messages(self) -> int:
        return sum(len(talk.said) for talk in self.talks)


@dataclass(frozen=True, slots=True)
class Place:
    """Where to look: a talk, and in it a message's position or a rating's axis."""

    talk: UUID
    position: int | None = None
    axis: str = ""


@dataclass(frozen=True, slots=True)
class Flag:
    """What a rule says of a worker: its numbers, and the very messages or ratings.

    ``null_probability`` is how likely an honest worker of this study would have been flagged, None where no model of
    honest work speaks about it. ``talk`` is set where the flag is about one talk and not about the worker.
    """

    rule: str
    numbers: Mapping[str, float | int | str]
    places: tuple[Place, ...] = ()
    null_probability: float | None = None
    talk: UUID | None = field(default=None)
