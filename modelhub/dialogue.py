"""The language that all apps share: what was said, by whom, against which background. No Django here.

Values are frozen so that they can travel between threads and be compared in tests.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Speaker(StrEnum):
    """Who said an utterance: the evaluator, or the model under evaluation."""

    WORKER = "worker"
    MODEL = "model"


class Skill(StrEnum):
    """The data sets of the paper, which stand for its skills (Smith et al. 2020, section 3)."""

    CONVAI2 = "convai2"
    WOW = "wow"
    ED = "ed"
    BST = "bst"


@dataclass(frozen=True, slots=True)
class Utterance:
    """One thing that one speaker said."""

    speaker: Speaker
    text: str


@dataclass(frozen=True, slots=True)
class Context:
    """What both speakers know before the first message (Smith et al. 2020, section 3.1).

    Each speaker sees only their own persona. ``topic`` is set for seeds from WoW, ``situation`` for seeds
    from ED. ``seeds`` is the pair that was said before: the worker's utterance first.
    """

    worker_persona: tuple[str, ...] = ()
    model_persona: tuple[str, ...] = ()
    source: Skill | None = None
    topic: str = ""
    situation: str = ""
    seeds: tuple[Utterance, ...] = ()


@dataclass(frozen=True, slots=True)
class Dialogue:
    """A context and everything said since; what an agent answers.

    ``key`` is opaque and stable for the talk: agents that draw at random seed themselves with it, so that
    asking twice gives the same reply.
    """

    context: Context = field(default_factory=Context)
    utterances: tuple[Utterance, ...] = ()
    key: str = ""

    @property
    def said(self) -> tuple[Utterance, ...]:
        """Seeds and utterances in the order in which they were said."""
        return self.context.seeds + self.utterances


@dataclass(frozen=True, slots=True)
class Reply:
    """An agent's answer and where it came from.

    ``evidence`` is plain JSON for researchers, never for evaluators: candidate id, source data set, score,
    chosen skill.
    """

    text: str
    evidence: Mapping[str, object] = field(default_factory=dict)
