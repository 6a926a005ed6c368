"""Personas and the topics that fit them: BlendedSkillTalk's auxiliary files."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from modelhub.datasets.convai2 import PERSONA
from modelhub.datasets.errors import DatasetMissing, MalformedLine
from modelhub.datasets.layout import STARTER, auxiliary
from modelhub.datasets.overlap import WordIndex
from modelhub.datasets.text_files import (
    BadField,
    Line,
    Skipped,
    as_texts,
    check_not_empty,
    lines,
    refuse_or_skip,
)

Persona = tuple[str, ...]

PERSONAS = "persona_list.txt"
TOPICS = "topic_to_persona_list.txt"
SAFE = "safe_personas.txt"

#: What contractions leave behind once punctuation is gone. The lists write one sentence as "i've", "i ve", "i have".
_LONG_FORMS = {
    "m": "am",
    "ve": "have",
    "re": "are",
    "ll": "will",
    "d": "would",
    "s": "is",
    "cannot": "can not",
}


@dataclass(frozen=True)
class Personas:
    """All personas, and the persona sentences that belong to each WoW topic.

    ``safe`` holds the sentences that were found safe to show to people, as ``same_words`` has them; None where
    there is no such list.
    """

    personas: tuple[Persona, ...]
    sentences: dict[str, tuple[str, ...]]
    safe: frozenset[str] | None = None

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

    @cached_property
    def persona_index(self) -> WordIndex:
        """Finds personas by words."""
        return WordIndex([" ".join(persona) for persona in self.personas])

    @cached_property
    def topic_index(self) -> WordIndex:
        """Finds topics by their own words and those of their sentences."""
        return WordIndex([" ".join((topic, *self.sentences[topic])) for topic in self.sentences])

    def is_safe(self, sentence: str) -> bool:
        """Whether people may be shown it; everything where there is no list."""
        return self.safe is None or same_words(sentence) in self.safe

    def safe_part(self, persona: Persona) -> Persona:
        """The persona's safe sentences."""
        return tuple(sentence for sentence in persona if self.is_safe(sentence))


def same_words(sentence: str) -> str:
    """One spelling for sentences that differ in letter case, punctuation, spaces and contractions alone."""
    found: list[str] = []
    for word in re.findall("[a-z0-9]+", sentence.lower()):
        if word == "t" and found and found[-1].endswith("n"):
            found[-1] = found[-1] if found[-1] == "can" else found[-1][:-1]
            word = "not"
        found.append(_LONG_FORMS.get(word, word))
    return "".join(found).replace(" ", "")


def read(folder: Path = STARTER) -> Personas:
    """The lists of a folder of data sets. Raises DatasetMissing, MalformedLine or EmptyFile."""
    return Personas(
        personas=read_personas(auxiliary(PERSONAS, folder)),
        sentences=read_topics(auxiliary(TOPICS, folder)),
        safe=_safe_where_installed(folder),
    )


def _safe_where_installed(folder: Path) -> frozenset[str] | None:
    try:
        path = auxiliary(SAFE, folder)
    except DatasetMissing:
        return None
    return frozenset(same_words(sentence) for persona in read_safe(path) for sentence in persona)


def read_personas(path: Path, skipped: Skipped | None = None) -> tuple[Persona, ...]:
    """Personas of ``persona_list.txt``: a sentence a line, a new persona where a line begins with ``||``.

    The official file ends with a bare ``||``. Raises MalformedLine and EmptyFile; see text_files.
    """
    personas: list[list[str]] = []
    broken: set[int] = set()
    for line in lines(path):
        if line.text.startswith("||") or not personas:
            personas.append([])
        try:
            personas[-1].extend(_sentence(line))
        except BadField as error:
            broken.add(len(personas) - 1)
            refuse_or_skip(MalformedLine(path, line.number, str(error)), skipped)
    found = tuple(tuple(each) for place, each in enumerate(personas) if each and place not in broken)
    check_not_empty(path, found, skipped)
    return found


def _sentence(line: Line) -> list[str]:
    """The line's sentence; none after a bare ``||``."""
    text = line.text.removeprefix("||")
    if line.fault:
        raise BadField(line.fault)
    if not text:
        return []
    if not text.startswith(PERSONA) or not text.removeprefix(PERSONA).strip():
        raise BadField(f"not of the form {PERSONA + 'SENTENCE'!r}")
    return [text.removeprefix(PERSONA).strip()]


def read_topics(path: Path, skipped: Skipped | None = None) -> dict[str, tuple[str, ...]]:
    """Persona sentences by topic of ``topic_to_persona_list.txt``: ``Topic: ['sentence', ...]`` a line.

    Raises MalformedLine and EmptyFile; see text_files.
    """
    found: dict[str, tuple[str, ...]] = {}
    for line in lines(path):
        try:
            topic, sentences = _topic(line)
            if topic in found:
                raise BadField(f"the topic {topic!r} comes twice")
            found[topic] = sentences
        except BadField as error:
            refuse_or_skip(MalformedLine(path, line.number, str(error)), skipped)
    check_not_empty(path, found, skipped)
    return found


def _topic(line: Line) -> tuple[str, tuple[str, ...]]:
    if line.fault:
        raise BadField(line.fault)
    topic, bracket, listed = line.text.partition(": [")
    try:
        sentences = as_texts(ast.literal_eval("[" + listed) if bracket else None, "sentence")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        # literal_eval runs nothing; brackets without end exhaust the parser.
        sentences = ()
    if not topic.strip() or not sentences or not all(sentence.strip() for sentence in sentences):
        raise BadField("not of the form \"Topic: ['sentence', ...]\"")
    return topic, tuple(sentence.strip() for sentence in sentences)


def read_safe(path: Path, skipped: Skipped | None = None) -> tuple[Persona, ...]:
    """Personas of ``safe_personas.txt``: one a line, its sentences parted by ``|``.

    Raises MalformedLine and EmptyFile; see text_files.
    """
    found: list[Persona] = []
    for line in lines(path):
        persona = tuple(sentence.strip() for sentence in line.text.split("|"))
        fault = line.fault or ("" if all(persona) else "an empty sentence between bars")
        if fault:
            refuse_or_skip(MalformedLine(path, line.number, fault), skipped)
        else:
            found.append(persona)
    check_not_empty(path, found, skipped)
    return tuple(found)
