"""Labelled utterances, a line ``{"text", "label", "kind"}`` each: to train and to measure safety classifiers with.

``label`` is ``unsafe`` or ``safe``; ``kind`` says which sort of either. What a label means stands in corpus/README.md.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from modelhub.errors import SafetyClassifierError

CORPUS = Path(__file__).resolve().parent / "corpus"
TRAIN, TEST = CORPUS / "train.jsonl", CORPUS / "test.jsonl"
LABELS = ("safe", "unsafe")


@dataclass(frozen=True, slots=True)
class Labelled:
    text: str
    is_unsafe: bool
    kind: str


def read(path: Path) -> list[Labelled]:
    """A file's utterances, in its order. Raises SafetyClassifierError, naming the line."""
    try:
        lines = path.read_text(encoding="utf-8").removesuffix("\n").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise SafetyClassifierError(f"{path}: cannot be read ({error}); name a JSONL file.") from error
    found = [_labelled(f"{path}:{number}", line) for number, line in enumerate(lines, 1)]
    if len({each.is_unsafe for each in found}) < 2:
        raise SafetyClassifierError(f"{path}: only one label; give it safe and unsafe utterances.")
    return found


def is_unsafe(samples: Sequence[Labelled]) -> NDArray[np.bool_]:
    """(N,)"""
    return np.array([sample.is_unsafe for sample in samples], dtype=bool)


def _labelled(where: str, line: str) -> Labelled:
    try:
        given = json.loads(line)
        text, label, kind = (given[name] for name in ("text", "label", "kind"))
    except (ValueError, KeyError, TypeError) as error:
        raise SafetyClassifierError(
            f'{where}: a line {{"text", "label", "kind"}} is needed ({error!r} came of this one).'
        ) from error
    if label not in LABELS or not (isinstance(text, str) and text.strip() and isinstance(kind, str) and kind):
        raise SafetyClassifierError(
            f"{where}: a text, a kind and a label, {' or '.join(LABELS)}, are needed; the label is {label!r}."
        )
    return Labelled(text, label == "unsafe", kind)
