"""Where a bank says a text. Twelve bytes a candidate: a dictionary of 350,000 texts would take 150 MB."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from modelhub.agents.base import normalise


class Spoken:
    """Finds candidates by what they say, whatever its disguise (``normalise``)."""

    def __init__(self, texts: Sequence[str]) -> None:
        self._texts = texts
        hashes = np.fromiter((hash(normalise(text)) for text in texts), np.int64, len(texts))
        self._places = np.argsort(hashes, kind="stable").astype(np.int32)
        self._hashes = hashes[self._places]

    def places(self, normalised: str) -> list[int]:
        """All places of a text that is normalised already, ascending."""
        wanted = hash(normalised)
        first, last = (int(np.searchsorted(self._hashes, wanted, side)) for side in ("left", "right"))
        found = self._places[first:last].tolist()
        return [place for place in found if normalise(self._texts[place]) == normalised]
