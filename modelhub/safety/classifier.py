"""The one door to the safety classifier: how likely are these utterances abusive?

    found = classifier()
    flagged = found.unsafe_probabilities(texts) >= found.default_threshold

Without a setting it is the one that ships, a weak filter (docs/quality.md): what it finds is for people to look at.
Libraries of models are imported when it is loaded, so a web process may import this module; it should ask a worker.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from modelhub.errors import SafetyClassifierError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class Classifier(Protocol):
    """Safe to use from several threads; prints nothing."""

    @property
    def version(self) -> str:
        """Kept beside what it found; another one whenever its weights are others."""
        ...

    @property
    def default_threshold(self) -> float:
        """The probability from which an utterance counts as unsafe, unless who asks wants another."""
        ...

    def unsafe_probabilities(self, texts: Sequence[str]) -> NDArray[np.float64]:
        """(N,), from 0 to 1; computed in bounded batches of like lengths, whose make-up changes nothing."""
        ...


def classifier() -> Classifier:
    """The classifier that the settings name, loaded once a process.

    Raises SafetyClassifierError, CheckpointError, BaseEncoderMissing; the next call tries again.
    """
    from django.conf import settings

    named = Path(settings.SAFETY_CLASSIFIER) if settings.SAFETY_CLASSIFIER else None
    with _lock:
        return _load(named, tuple(settings.SAFETY_UNSAFE_LABELS), Path(settings.BASE_ENCODER))


_lock = threading.Lock()


@lru_cache(maxsize=1)
def _load(folder: Path | None, unsafe_labels: tuple[str, ...], base: Path) -> Classifier:
    from modelhub.safety import head
    from modelhub.safety.combined import CombinedClassifier
    from modelhub.safety.transformers_folder import TransformersClassifier
    from modelhub.serving.placement import exact_placement

    device = exact_placement().device
    if folder is None:
        return CombinedClassifier(base, device=device)
    if not folder.is_dir():
        raise SafetyClassifierError(
            f"SAFETY_CLASSIFIER is {folder}, which is no folder; name one, or unset it."
        )
    if (folder / head.WEIGHTS).is_file():
        return CombinedClassifier(base, folder, device)
    return TransformersClassifier(folder, unsafe_labels, device)
