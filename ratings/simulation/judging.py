"""How a simulated worker rates: features of what the partner said, through an ordinal threshold model."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass
from random import Random

from ratings.axes import Axis
from ratings.simulation.behaviours import Behaviour
from ratings.simulation.errors import UnexpectedPage
from ratings.simulation.talking import content_words

_FIRST_PERSON = "i i'm i've i'd i'll me my mine myself we our us"
FIRST_PERSON = frozenset(_FIRST_PERSON.split())
_FEELINGS = """
afraid alone angry anxious awful bad better calm congratulations excited feel feeling feelings felt glad
happy hard hope hurt lonely lucky miss nervous proud relieved sad scared sorry tough understand upset worried
"""
FEELING_WORDS = frozenset(_FEELINGS.split())
#: Four cuts part the latent scale into the answers 1 to 5.
CUTS = (-1.4, -0.5, 0.4, 1.3)
NOISE_SD = 0.6
LENIENCY_SD = 0.5
#: Who hurries takes the middle, or what lies beside it.
HURRIED = (3, 3, 3, 4)


@dataclass(frozen=True, slots=True)
class Features:
    """What the partner's replies were like; shares are 0 to 1."""

    question_share: float  # replies that ask something
    overlap_share: float  # replies that take up a content word of the worker's message before
    first_person_share: float  # words about themselves
    feeling_share: float  # replies with a word of feeling
    facts_per_reply: float  # numbers and names inside sentences
    mean_words: float


#: The starter models' mean over 194 simulated talks, and one standard deviation; ratings measure from there.
TYPICAL = Features(0.5, 0.03, 0.03, 0.05, 0.25, 12.5)
SPREAD = Features(0.25, 0.06, 0.03, 0.08, 0.35, 2.0)
#: The weight of each feature on each axis, in the order of Features.
WEIGHTS: dict[Axis, tuple[float, ...]] = {
    Axis.KNOWLEDGE: (0.0, 0.2, -0.2, -0.1, 0.7, 0.5),
    Axis.EMPATHY: (0.4, 0.4, 0.0, 0.7, -0.2, 0.0),
    Axis.PERSONAL: (-0.2, 0.0, 0.9, 0.0, -0.1, 0.1),
    Axis.OVERALL: (0.3, 0.5, 0.1, 0.3, 0.2, 0.2),
}


def features(replies: Sequence[str], said: Sequence[str]) -> Features:
    """Features of ``replies``; ``said`` are the worker's messages, each before the reply at its index."""
    spoken = [reply for reply in replies if reply.strip()]
    if not spoken:
        return TYPICAL
    tokens = [re.findall(r"[\w']+", reply.lower().replace("’", "'")) for reply in spoken]
    words = max(1, sum(map(len, tokens)))
    taken_up = sum(
        bool(set(content_words(reply)) & set(content_words(mine)))
        for reply, mine in zip(replies, said, strict=False)
    )
    return Features(
        question_share=_share("?" in reply for reply in spoken),
        overlap_share=taken_up / len(spoken),
        first_person_share=sum(t in FIRST_PERSON for reply in tokens for t in reply) / words,
        feeling_share=_share(any(t in FEELING_WORDS for t in reply) for reply in tokens),
        facts_per_reply=sum(_facts(reply) for reply in spoken) / len(spoken),
        mean_words=words / len(spoken),
    )


def _share(claims: Iterable[bool]) -> float:
    held = list(claims)
    return sum(held) / len(held)


def _facts(reply: str) -> int:
    """Numbers, and capitalised words that do not begin a sentence and are not "I"."""
    names = re.findall(r"(?<=[a-z,;] )[A-Z][a-z]+", reply)
    return len(re.findall(r"\d+", reply)) + len(names)


#: What an attention item asks for.
CHOOSE = re.compile(r"\bchoose ([1-5])\b")


class Judge:
    """One worker's way of rating: as lenient in every talk, honest or not."""

    def __init__(self, behaviour: Behaviour, rng: Random) -> None:
        self.behaviour = behaviour
        self.rng = rng
        self.leniency = rng.gauss(0, LENIENCY_SD)
        self.habit = rng.choice((3, 4, 5))

    def rate(self, replies: Sequence[str], said: Sequence[str]) -> dict[Axis, int]:
        """A score of 1 to 5 for each axis."""
        if self.behaviour is Behaviour.STRAIGHT_LINER:
            return dict.fromkeys(Axis, self.habit)
        if self.behaviour is Behaviour.RANDOM_RATER:
            return {axis: self.rng.randint(1, 5) for axis in Axis}
        if self.behaviour is Behaviour.SPEEDER:
            return {axis: self.rng.choice(HURRIED) for axis in Axis}
        found = features(replies, said)
        distances = [
            math.tanh((value - usual) / spread)
            for value, usual, spread in zip(astuple(found), astuple(TYPICAL), astuple(SPREAD), strict=True)
        ]
        return {axis: self._score(weights, distances) for axis, weights in WEIGHTS.items()}

    def choose(self, question: str) -> int:
        """What this worker chooses where no axis but a certain number is asked for.

        Raises UnexpectedPage for a question that is neither.
        """
        if not (found := CHOOSE.search(question)):
            raise UnexpectedPage(f"Nobody here can answer {question!r}.")
        if self.behaviour is Behaviour.STRAIGHT_LINER:
            return self.habit
        if self.behaviour is Behaviour.RANDOM_RATER:
            return self.rng.randint(1, 5)
        if self.behaviour is Behaviour.SPEEDER:
            return self.rng.choice(HURRIED)
        return int(found[1])

    def _score(self, weights: Sequence[float], distances: Sequence[float]) -> int:
        latent = sum(w * d for w, d in zip(weights, distances, strict=True))
        latent += self.leniency + self.rng.gauss(0, NOISE_SD)
        return 1 + sum(latent > cut for cut in CUTS)
