"""One form for a dialogue of any data set, and the examples a retrieval model learns from it. No Django."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from modelhub.dialogue import Context, Dialogue, Skill, Speaker, Utterance

_OTHER = {Speaker.WORKER: Speaker.MODEL, Speaker.MODEL: Speaker.WORKER}


@dataclass(frozen=True, slots=True)
class Episode:
    """One dialogue. ``Speaker.MODEL`` is the side that a model of this data set stands for.

    That is the persona's owner in ConvAI2, the wizard in WoW, the listener in ED and the guided worker in
    BST. ``knowledge`` and ``candidates`` run parallel to ``turns``, or are empty where a data set has none:
    the checked sentence behind a wizard's turn ("" for none), and the candidates that a file lists for it.
    """

    source: Skill
    key: str
    turns: tuple[Utterance, ...]
    worker_persona: tuple[str, ...] = ()
    model_persona: tuple[str, ...] = ()
    topic: str = ""
    situation: str = ""
    emotion: str = ""
    seeds: tuple[Utterance, ...] = ()
    passage: tuple[str, ...] = ()
    knowledge: tuple[str, ...] = ()
    candidates: tuple[tuple[str, ...], ...] = ()

    @property
    def context(self) -> Context:
        """What both speakers know before the first turn."""
        return Context(
            worker_persona=self.worker_persona,
            model_persona=self.model_persona,
            source=self.source,
            topic=self.topic,
            situation=self.situation,
            seeds=self.seeds,
        )


@dataclass(frozen=True, slots=True)
class Example:
    """A dialogue as the model sees it, and the utterance that a person said next."""

    dialogue: Dialogue
    label: str
    source: Skill
    episode: str
    candidates: tuple[str, ...] = ()


def seen_from_the_other_side(episode: Episode) -> Episode:
    """The same dialogue with the speakers' parts exchanged, personas included."""
    return replace(
        episode,
        turns=_exchanged(episode.turns),
        seeds=_exchanged(episode.seeds),
        worker_persona=episode.model_persona,
        model_persona=episode.worker_persona,
    )


def examples(episode: Episode) -> Iterator[Example]:
    """One example for each turn of the model's side that has something to answer.

    Only WoW's topic alone is enough to begin with, as its official examples have it. A turn of white space alone
    is no answer.
    """
    for index, turn in enumerate(episode.turns):
        if turn.speaker is not Speaker.MODEL or not turn.text.strip():
            continue
        if not (index or episode.seeds or (episode.source is Skill.WOW and episode.topic)):
            continue
        yield Example(
            dialogue=Dialogue(episode.context, episode.turns[:index], key=f"{episode.key}/{index}"),
            label=turn.text,
            source=episode.source,
            episode=episode.key,
            candidates=episode.candidates[index] if episode.candidates else (),
        )


def examples_of(episodes: Iterable[Episode], *, both_sides: bool = False) -> list[Example]:
    """Examples of many dialogues, in their order; ``both_sides`` adds those of the other speaker."""
    found: list[Example] = []
    for episode in episodes:
        found.extend(examples(episode))
        if both_sides:
            found.extend(examples(seen_from_the_other_side(episode)))
    return found


def _exchanged(utterances: tuple[Utterance, ...]) -> tuple[Utterance, ...]:
    return tuple(Utterance(_OTHER[each.speaker], each.text) for each in utterances)
