"""How simulated workers behave: most as one hopes, some badly in ways that have names."""

from __future__ import annotations

from enum import StrEnum
from random import Random


class Behaviour(StrEnum):
    """The value is stored with the worker, so that what a quality rule finds can be checked."""

    HONEST = "honest"
    STRAIGHT_LINER = "straight_liner"  # the same answer to every question of every talk
    RANDOM_RATER = "random_rater"  # answers that have nothing to do with the talk
    SPEEDER = "speeder"  # never thinks, and rates as soon as that is allowed
    SHOUTER = "shouter"  # WRITES LIKE THIS
    REPEATER = "repeater"  # says the same thing again and again
    SHORT_WRITER = "short_writer"  # one or two words a message
    PERSONA_COPIER = "persona_copier"  # pastes the persona, is refused, then rewords it


BAD = tuple(b for b in Behaviour if b is not Behaviour.HONEST)
#: Between the shares of excluded workers that crowd studies tell of; every kind occurs from 24 workers on.
BAD_SHARE = 0.3


def cast(workers: int, rng: Random) -> list[Behaviour]:
    """Who behaves how: a fixed share is bad, the kinds as evenly spread as can be, in random order."""
    kinds = list(BAD)
    rng.shuffle(kinds)
    bad = [kinds[i % len(kinds)] for i in range(round(workers * BAD_SHARE))]
    everyone = bad + [Behaviour.HONEST] * (workers - len(bad))
    rng.shuffle(everyone)
    return everyone
