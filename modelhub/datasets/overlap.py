"""Find the texts of a long list that share most words with a given one."""

from __future__ import annotations

import random
import re
from collections.abc import Sequence

import numpy as np

#: Words that say nothing about what a sentence is about.
STOP_WORDS = frozenset(
    "a about after all am an and are as at be been but by can did do for from get got had has have he her him his"
    " how i if in into is it its just like me my no not of off on one or our out over she so some that the their"
    " them then there they this to too up was we were what when which who will with would you your"
    # What contractions leave behind.
    " don didn doesn isn wasn ll re ve".split()
)


def words(text: str) -> frozenset[str]:
    """The words of a text that say what it is about, in lower case."""
    return frozenset(re.findall(r"[a-z]{2,}", text.lower())) - STOP_WORDS


class WordIndex:
    """The places of every word in N texts."""

    def __init__(self, texts: Sequence[str]) -> None:
        self.size = len(texts)
        places: dict[str, list[int]] = {}
        for place, text in enumerate(texts):
            for word in words(text):
                places.setdefault(word, []).append(place)
        self._places = {word: np.array(found, dtype=np.intp) for word, found in places.items()}

    def most_common(self, wanted: frozenset[str], rng: random.Random) -> int:
        """The place of a text with most of the wanted words; ties are drawn."""
        common = np.zeros(self.size, dtype=np.intp)
        # A text counts once for each word, so no place comes twice within one word's.
        for found in (self._places[word] for word in wanted if word in self._places):
            common[found] += 1
        best = np.flatnonzero(common == common.max())
        return int(best[rng.randrange(len(best))])
