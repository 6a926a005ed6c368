"""Draw what a talk begins with, as BlendedSkillTalk draws it (Smith et al. 2020, section 3.1)."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Generic, TypeVar

from modelhub.datasets import layout, personas
from modelhub.datasets.episodes import Episode
from modelhub.datasets.errors import DatasetError, DatasetMissing
from modelhub.datasets.personas import Persona, Personas
from modelhub.dialogue import Context, Skill, Speaker, Utterance

#: Each speaker gets two persona sentences.
SENTENCES = 2
#: Seeds come from dialogues that no model was trained on: a bank of training utterances would hold the very
#: continuation of a training dialogue.
SEED_SPLITS = ("valid", "test")
SEED_SKILLS = (Skill.CONVAI2, Skill.ED, Skill.WOW)
#: Draws of a second persona before the list is taken to have none that fits.
TRIES = 1000

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
    """What contexts are drawn from; decks are empty where a data set is not installed."""

    rng: random.Random
    lists: Personas
    personas: tuple[Persona, ...]
    convai2: _Deck[tuple[Episode, Exchange]]
    ed: _Deck[Episode]
    wow: dict[str, _Deck[Exchange]]
    matched: _Deck[tuple[Persona, str, str]]


def draw_contexts(n: int, seed: int, folder: Path = layout.STARTER) -> list[Context]:
    """``n`` contexts, the same ones for the same seed and folder.

    Seed pairs come with equal probability from those of ConvAI2, ED and WoW that are installed: any exchange of
    a ConvAI2 or WoW dialogue, the first of an ED one. A WoW seed brings its topic, and one of the personas has
    a sentence that belongs to it; an ED seed brings its situation. Where the folder has a list of safe persona
    sentences, no other is drawn. Raises DatasetMissing where none of the three is there, DatasetError where
    personas and topics do not fit together.
    """
    rng = random.Random(f"contexts/{seed}")
    skills = seed_skills(folder)
    source = _open(folder, skills, rng)
    draw = {Skill.CONVAI2: _from_convai2, Skill.ED: _from_ed, Skill.WOW: _from_wow}
    return [draw[rng.choice(skills)](source) for _ in range(n)]


def seed_skills(folder: Path) -> tuple[Skill, ...]:
    """The data sets of a folder that seeds can come from. Raises DatasetMissing where there is none."""
    found = tuple(skill for skill in SEED_SKILLS if _held_out_splits(skill, folder))
    if not found:
        raise DatasetMissing(
            f"{folder} has neither {' nor '.join(SEED_SPLITS)} of "
            f"{', '.join(skill.value for skill in SEED_SKILLS)} to draw from; fetch one with fetch_data"
        )
    return found


def _open(folder: Path, skills: Sequence[Skill], rng: random.Random) -> _Source:
    lists = personas.read(folder)
    held_out = {skill: _held_out(skill, folder) if skill in skills else [] for skill in SEED_SKILLS}
    safe = tuple(part for persona in lists.personas if len(part := lists.safe_part(persona)) >= SENTENCES)
    by_topic: dict[str, list[Exchange]] = {}
    for episode in held_out[Skill.WOW]:
        by_topic.setdefault(episode.topic, []).extend(_exchanges(episode))
    convai2 = [(episode, pair) for episode in held_out[Skill.CONVAI2] for pair in _exchanges(episode)]
    ed = [episode for episode in held_out[Skill.ED] if len(episode.turns) > 1]
    matched = _matched(safe, lists, by_topic)
    drawable = {Skill.CONVAI2: convai2, Skill.ED: ed, Skill.WOW: matched}
    if lacking := [skill.value for skill in skills if not drawable[skill]]:
        raise DatasetError(
            f"nothing in {folder} can be drawn for {', '.join(lacking)}: no exchange that fits"
        )
    if not safe:
        raise DatasetError(f"no persona of {folder} has {SENTENCES} sentences that may be shown")
    return _Source(
        rng=rng,
        lists=lists,
        personas=safe,
        convai2=_Deck(convai2, rng),
        ed=_Deck(ed, rng),
        wow={topic: _Deck(pairs, rng) for topic, pairs in by_topic.items()},
        matched=_Deck(matched, rng),
    )


def _matched(
    safe: Sequence[Persona], lists: Personas, by_topic: Mapping[str, Sequence[Exchange]]
) -> list[tuple[Persona, str, str]]:
    """Personas with a sentence that belongs to a topic of which there are exchanges."""
    return [
        (persona, sentence, topic)
        for persona in safe
        for sentence in persona
        for topic in lists.topics.get(sentence, ())
        if by_topic.get(topic)
    ]


def _held_out_splits(skill: Skill, folder: Path) -> list[str]:
    found = []
    for split in SEED_SPLITS:
        try:
            layout.find(skill, split, folder)
        except DatasetMissing:
            continue
        found.append(split)
    return found


def _held_out(skill: Skill, folder: Path) -> list[Episode]:
    return [
        episode for split in _held_out_splits(skill, folder) for episode in layout.read(skill, split, folder)
    ]


def _exchanges(episode: Episode) -> Iterator[Exchange]:
    """Pairs in which the worker's side speaks and the model's side answers."""
    for first, second in zip(episode.turns, episode.turns[1:], strict=False):
        if first.speaker is Speaker.WORKER and second.speaker is Speaker.MODEL:
            yield first, second


def _from_convai2(source: _Source) -> Context:
    """The dialogue's own persona where enough of it is safe, else a drawn one."""
    episode, seeds = source.convai2.draw()
    own = source.lists.safe_part(episode.model_persona)
    if len(own) < SENTENCES:
        own = source.rng.choice(source.personas)
    other = source.lists.safe_part(episode.worker_persona)
    if len(other) < SENTENCES:
        other = _another(source, own)
    return Context(
        worker_persona=_two_of(source, other),
        model_persona=_two_of(source, own),
        source=Skill.CONVAI2,
        seeds=seeds,
    )


def _from_ed(source: _Source) -> Context:
    episode = source.ed.draw()
    first = source.rng.choice(source.personas)
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
    """A persona that shares no sentence with this one. Raises DatasetError."""
    for _ in range(TRIES):
        drawn = source.rng.choice(source.personas)
        if not set(drawn) & set(persona):
            return drawn
    raise DatasetError(
        f"{len(source.personas)} personas are too few: none without a sentence of {persona} was found"
    )


def _two_of(source: _Source, persona: Persona, keep: str = "") -> Persona:
    """Two sentences in random order, ``keep`` among them when it is given."""
    rest = [sentence for sentence in persona if sentence != keep]
    kept = [keep] if keep else []
    chosen = kept + source.rng.sample(rest, min(SENTENCES - len(kept), len(rest)))
    source.rng.shuffle(chosen)
    return tuple(chosen)
