"""Give every single-skill dialogue a persona and a topic (Smith et al. 2020, section 3.2).

Without this a multi-task model learns which data set it is in from what stands before the first utterance. WoW
dialogues get a persona by the topic-to-persona mapping; ConvAI2 dialogues a topic by the inverse mapping; ED
dialogues the persona with most words in common with the first utterance, then a topic as ConvAI2 dialogues do.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace

from modelhub.datasets.episodes import Episode
from modelhub.datasets.overlap import words
from modelhub.datasets.personas import Persona, Personas
from modelhub.dialogue import Skill


def debiased(episode: Episode, lists: Personas, seed: int) -> Episode:
    """The dialogue with a persona for the model's side and a topic; unchanged where it has both.

    The same seed gives the same additions, whatever the order of dialogues.
    """
    rng = random.Random(f"{seed}/{episode.key}")
    persona = episode.model_persona or _PERSONA_RULES[episode.source](episode, lists, rng)
    topic = episode.topic or _topic_for(persona, lists, rng)
    return replace(episode, model_persona=persona, topic=topic)


def _by_topic(episode: Episode, lists: Personas, rng: random.Random) -> Persona:
    """A persona that holds a sentence mapped to the topic; any persona where the topic is not mapped."""
    sentences = lists.sentences.get(episode.topic, ())
    owners = [owner for sentence in sentences for owner in lists.owners.get(sentence, ())]
    return rng.choice(owners or lists.personas)


def _by_first_utterance(episode: Episode, lists: Personas, rng: random.Random) -> Persona:
    """A persona with most words in common with the first utterance."""
    first = words(episode.turns[0].text) if episode.turns else frozenset[str]()
    return lists.personas[lists.persona_index.most_common(first, rng)]


def _topic_for(persona: Persona, lists: Personas, rng: random.Random) -> str:
    """A topic to which one of the sentences is mapped.

    Where none is, the topic whose sentences share most words with the persona stands in, so that no dialogue
    goes without.
    """
    mapped = [topic for sentence in persona for topic in lists.topics.get(sentence, ())]
    if mapped:
        return rng.choice(mapped)
    described = tuple(lists.sentences)
    return described[lists.topic_index.most_common(words(" ".join(persona)), rng)]


_PERSONA_RULES: dict[Skill, Callable[[Episode, Personas, random.Random], Persona]] = {
    Skill.WOW: _by_topic,
    Skill.ED: _by_first_utterance,
    # A ConvAI2 dialogue seen from the side whose persona the file does not give.
    Skill.CONVAI2: _by_first_utterance,
    Skill.BST: _by_first_utterance,
}
