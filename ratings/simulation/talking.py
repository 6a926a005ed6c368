"""What a simulated worker says next: own lines, and reactions that take up a word of the partner's."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from ratings.simulation import lines
from ratings.simulation.behaviours import Behaviour

WORD = re.compile(r"[^\W\d_]{5,14}")
#: Long words that say nothing by themselves.
_EMPTY = """
about above actually after again agree almost along already although always another anything around asked
because become before being believe besides better between both cannot certainly could definitely different
doesn doing either enough especially every everyone everything exactly first found given glad going great
having hello honestly however indeed instead interesting itself known least little might mostly myself never
nothing often oneself other others perhaps person please pretty probably quite rather really right seems
should since someone something sometimes sorry sounds still their there these thing things think those
though thought through today together toward truly under until using usually wasn where whether which while
whole without wonder would wouldn years yourself
"""
EMPTY_WORDS = frozenset(_EMPTY.split())


@dataclass(frozen=True, slots=True)
class Card:
    """What the worker was shown before the talk."""

    persona: tuple[str, ...] = ()
    topic: str = ""
    situation: str = ""
    seeds: tuple[str, ...] = ()


def content_words(text: str) -> list[str]:
    """Words of at least five letters that carry meaning, lower-cased, in order."""
    return [w for w in (m.group().lower() for m in WORD.finditer(text)) if w not in EMPTY_WORDS]


class Talker:
    """One worker's side of one talk. The same seed and the same partner give the same lines."""

    def __init__(self, behaviour: Behaviour, card: Card, rng: Random) -> None:
        self.behaviour = behaviour
        self.card = card
        self.rng = rng
        self.said: list[str] = []
        self.taken_up: set[str] = set()

    def next(self, heard: Sequence[str]) -> str:
        """The next message, given the partner's replies so far; never over 30 words."""
        line = self._line(heard)
        if self.behaviour is Behaviour.SHOUTER:
            line = line.upper()
        self.said.append(line)
        return line

    def _line(self, heard: Sequence[str]) -> str:
        if self.behaviour is Behaviour.REPEATER and self.said:
            return self.said[0]
        if self.behaviour in (Behaviour.SHORT_WRITER, Behaviour.SPEEDER):
            return self.rng.choice(lines.SHORT)
        if self.behaviour is Behaviour.PERSONA_COPIER and not self.said and self.card.persona:
            return self.card.persona[0]
        if not self.said:
            return self._fresh(self._openers())
        return self._answer(heard[-1] if heard else "")

    def reword(self) -> str:
        """What a copier writes once the copy was refused."""
        self.said.append(self._fresh(lines.REWORDINGS))
        return self.said[-1]

    def _openers(self) -> tuple[str, ...]:
        if self.card.topic:
            return lines.TOPIC_OPENERS
        return lines.FEELING_OPENERS if self.card.situation else lines.PERSONA_OPENERS

    def _answer(self, last: str) -> str:
        """An answer to a question, a reaction to a word, a question back, or something of one's own."""
        word = self._word_of(last)
        if last.rstrip().endswith("?") and self.rng.random() < 0.6:
            return self._fresh(lines.ANSWERS)
        own = lines.FEELINGS if self.card.situation else lines.ABOUT_ME
        questions = lines.TOPIC_QUESTIONS + lines.QUESTIONS if self.card.topic else lines.QUESTIONS
        pools: list[tuple[str, ...]] = [own, questions]
        weights = [3, 3]
        if word:
            pools.append(lines.REACTIONS)
            weights.append(4)
        if len(self.said) >= 5:
            pools.append(lines.CLOSERS)
            weights.append(2)
        return self._fresh(self.rng.choices(pools, weights)[0], word)

    def _word_of(self, text: str) -> str:
        """A content word that was not taken up before; the later ones of a reply tend to be its subject."""
        new = [w for w in content_words(text) if w not in self.taken_up]
        return new[-1] if new else ""

    def _fresh(self, pool: Sequence[str], word: str = "") -> str:
        """A line of the pool that was not said yet in this talk, its blanks filled."""
        own_words = [w for sentence in self.card.persona for w in content_words(sentence)]
        own = self.rng.choice(own_words) if own_words else "work"
        filled = [(line, line.format(topic=self.card.topic, word=word, own=own)) for line in pool]
        fresh = [pair for pair in filled if pair[1] not in self.said] or filled
        line, text = self.rng.choice(fresh)
        if "{word}" in line:
            self.taken_up.add(word)
        return text
