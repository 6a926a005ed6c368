"""Draw what a talk begins with, as BlendedSkillTalk draws it (Smith et al. 2020, section 3.1)."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Generic, TypeVar

from modelhub.datasets import layout, personas
from modelhub.datasets.episodes import Episode
from modelhub.datasets.errors import DatasetMissing
from modelhub.datasets.personas import Persona, Personas
from modelhub.dialogue import Context, Skill, Speaker, Utterance

#: Each speaker gets two persona sentences.
SENTENCES = 2
#: Seeds come from dialogues that no model was trained on: a bank of training utterances would hold the very
#: continuation of a training dialogue.
SEED_SPLITS = ("valid", "test")
SEED_SKILLS = (Skill.CONVAI2, Skill.ED, Skill.WOW)

T = TypeVar("T")
Exchange = tuple[Utterance, Utterance]


class _Deck(Generic[T]):
    """Draws at random; nothing comes twice before everything came once."""

    def __init__(self, cards: Sequence[T], rng: random.Random) -> None:
        self._cards, self._rng = list(cards), rng
        self._left: list[T] = []

    def draw(self) -> T:
        if not self._left:
            self._left = list(self._cards)
            self._rng.shuffle(self._left)
        return self._left.pop()


@dataclass(slots=True)
class _Source:
    """What contexts are drawn from."""

    rng: random.Random
    personas: Personas
    convai2: _Deck[tuple[Episode, Exchange]]
    ed: _Deck[Episode]
    wow: dict[str, _Deck[Exchange]]
    matched: _Deck[tuple[Persona, str, str]]


def draw_contexts(n: int, seed: int, folder: Path = layout.STARTER) -> list[Context]:
    """``n`` contexts, the same ones for the same seed and folder.

    Seed pairs come from ConvAI2, ED and WoW with equal probability: any exchange of a ConvAI2 or WoW dialogue,
    the first of an ED one. A WoW seed brings its topic, and one of the personas has a sentence that belongs
    to it; an ED seed brings its situation. Raises DatasetMissing where a data set is not there.
    """
    rng = random.Random(f"contexts/{seed}")
    source = _open(folder, rng)
    draw = {Skill.CONVAI2: _from_convai2, Skill.ED: _from_ed, Skill.WOW: _from_wow}
    return [draw[rng.choice(SEED_SKILLS)](source) for _ in range(n)]


def _open(folder: Path, rng: random.Random) -> _Source:
    lists = personas.read(folder)
    by_topic: dict[str, list[Exchange]] = {}
    for episode in _held_out(Skill.WOW, folder):
        by_topic.setdefault(episode.topic, []).extend(_exchanges(episode))
    return _Source(
        rng=rng,
        personas=lists,
        convai2=_Deck(
            [(episode, pair) for episode in _held_out(Skill.CONVAI2, folder) for pair in _exchanges(episode)],
            rng,
        ),
        ed=_Deck([episode for episode in _held_out(Skill.ED, folder) if len(episode.turns) > 1], rng),
        wow={topic: _Deck(pairs, rng) for topic, pairs in by_topic.items()},
        matched=_Deck(
            [
                (persona, sentence, topic)
                for persona in lists.personas
                for sentence in persona
                for topic in lists.topics.get(sentence, ())
                if by_topic.get(topic)
            ],
            rng,
        ),
    )


def _held_out(skill: Skill, folder: Path) -> list[Episode]:
    found: list[Episode] = []
    for split in SEED_SPLITS:
        try:
            found.extend(layout.read(skill, split, folder))
        except DatasetMissing:
            continue
    if not found:
        raise DatasetMissing(
            f"{folder} has neither {' nor '.join(SEED_SPLITS)} of {skill.value} to draw from"
        )
    return found


def _exchanges(episode: Episode) -> Iterator[Exchange]:
    """Pairs in which the worker's side speaks and the model's side answers."""
    for first, second in zip(episode.turns, episode.turns[1:], strict=False):
        if first.speaker is Speaker.WORKER and second.speaker is Speaker.MODEL:
            yield first, second


def _from_convai2(source: _Source) -> Context:
    episode, seeds = source.convai2.draw()
    own = episode.model_persona
    other = episode.worker_persona or _another(source, own)
    return Context(
        worker_persona=_two_of(source, other),
        model_persona=_two_of(source, own),
        source=Skill.CONVAI2,
        seeds=seeds,
    )


def _from_ed(source: _Source) -> Context:
    episode = source.ed.draw()
    first = source.rng.choice(source.personas.personas)
    return Context(
        worker_persona=_two_of(source, first),
        model_persona=_two_of(source, _another(source, first)),
        source=Skill.ED,
        situation=episode.situation,
        seeds=episode.turns[:2],
    )


def _from_wow(source: _Source) -> Context:
    persona, sentence, topic = source.matched.draw()
    matched = _two_of(source, persona, keep=sentence)
    other = _two_of(source, _another(source, persona))
    context = Context(matched, other, Skill.WOW, topic=topic, seeds=source.wow[topic].draw())
    if source.rng.random() < 0.5:
        return replace(context, worker_persona=other, model_persona=matched)
    return context


def _another(source: _Source, persona: Persona) -> Persona:
    """A persona that shares no sentence with this one."""
    while True:
        drawn = source.rng.choice(source.personas.personas)
        if not set(drawn) & set(persona):
            return drawn


def _two_of(source: _Source, persona: Persona, keep: str = "") -> Persona:
    """Two sentences in random order, ``keep`` among them when it is given."""
    rest = [sentence for sentence in persona if sentence != keep]
    kept = [keep] if keep else []
    chosen = kept + source.rng.sample(rest, min(SENTENCES - len(kept), len(rest)))
    source.rng.shuffle(chosen)
    return tuple(chosen)
