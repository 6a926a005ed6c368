"""The words of a plan: what is asked, how models are dealt, how limits go. Loads no library."""

from __future__ import annotations

from enum import StrEnum


class Dealing(StrEnum):
    """How models are dealt to workers."""

    RANDOM = "random"
    COMPLETE_BLOCK = "complete_block"


class Question(StrEnum):
    """What a study of several models asks."""

    ONE_PAIR = "one_pair"
    BEST = "best"
    ALL_PAIRS = "all_pairs"


class Rule(StrEnum):
    """How limits go from look to look."""

    OBRIEN_FLEMING = "obrien_fleming"
    POCOCK = "pocock"
    ALWAYS_VALID = "always_valid"
