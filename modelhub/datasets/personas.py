"""Personas and the topics that fit them: BlendedSkillTalk's auxiliary files."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from modelhub.datasets.convai2 import PERSONA
from modelhub.datasets.errors import MalformedLine
from modelhub.datasets.layout import STARTER, auxiliary
from modelhub.datasets.text_files import lines

Persona = tuple[str, ...]


@dataclass(frozen=True)
class Personas:
    """All personas, and the persona sentences that belong to each WoW topic."""

    personas: tuple[Persona, ...]
    sentences: dict[str, tuple[str, ...]]

    @cached_property
    def topics(self) -> dict[str, tuple[str, ...]]:
        """The inverse mapping: topics for each persona sentence, in the file's order."""
        found: dict[str, list[str]] = {}
        for topic, sentences in self.sentences.items():
            for sentence in sentences:
                found.setdefault(sentence, []).append(topic)
        return {sentence: tuple(topics) for sentence, topics in found.items()}

    @cached_property
    def owners(self) -> dict[str, tuple[Persona, ...]]:
        """The personas that hold each sentence."""
        found: dict[str, list[Persona]] = {}
        for persona in self.personas:
            for sentence in persona:
                found.setdefault(sentence, []).append(persona)
        return {sentence: tuple(personas) for sentence, personas in found.items()}


def read(folder: Path = STARTER) -> Personas:
    """The lists of a folder of data sets. Raises DatasetMissing or MalformedLine."""
    return Personas(
        personas=read_personas(auxiliary("persona_list.txt", folder)),
        sentences=read_topics(auxiliary("topic_to_persona_list.txt", folder)),
    )


def read_personas(path: Path) -> tuple[Persona, ...]:
    """Personas of ``persona_list.txt``: a sentence a line, a new persona where a line begins with ``||``.

    The official file ends with a bare ``||``.
    """
    personas: list[list[str]] = []
    for number, line in lines(path):
        if line.startswith("||") or not personas:
            personas.append([])
        sentence = line.removeprefix("||")
        if not sentence:
            continue
        if not sentence.startswith(PERSONA):
            raise MalformedLine(path, number, f"does not begin with {PERSONA!r}")
        personas[-1].append(sentence.removeprefix(PERSONA).strip())
    return tuple(tuple(persona) for persona in personas if persona)


def read_topics(path: Path) -> dict[str, tuple[str, ...]]:
    """Persona sentences by topic of ``topic_to_persona_list.txt``: ``Topic: ['sentence', ...]`` a line."""
    found: dict[str, tuple[str, ...]] = {}
    for number, line in lines(path):
        topic, bracket, listed = line.partition(": [")
        try:
            sentences = ast.literal_eval("[" + listed) if bracket else None
        except (SyntaxError, ValueError):
            sentences = None
        if not sentences or not all(isinstance(sentence, str) for sentence in sentences):
            raise MalformedLine(path, number, "not of the form \"Topic: ['sentence', ...]\"")
        found[topic] = tuple(sentence.strip() for sentence in sentences)
    return found
