"""Any text classifier in the format of ``transformers`` as a safety classifier.

Weights are safetensors alone, and code that comes with a folder is never run.
"""

from __future__ import annotations

import hashlib
import json
import re
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from transformers import AutoModelForSequenceClassification, AutoTokenizer
from transformers.utils import logging

from modelhub.errors import SafetyClassifierError
from modelhub.polyencoder.checkpoints import file_sha256
from modelhub.polyencoder.lengths import batches
from modelhub.safety.pieces import highest

Floats = NDArray[np.float64]

CONFIG, TOKENIZER_CONFIG = "config.json", "tokenizer_config.json"
#: Where tokenizers of all kinds keep their words.
VOCABULARIES = (
    "tokenizer.json",
    "vocab.txt",
    "vocab.json",
    "tokenizer.model",
    "spiece.model",
    "sentencepiece.bpe.model",
    "spm.model",
)
#: Names of labels that mean abuse, as classifiers in use have them: in lower case, words parted by one space.
UNSAFE_NAMES = frozenset(
    {
        *("abuse", "abusive", "cyberbullying", "harassment", "harmful", "hate", "hate speech", "hateful"),
        *("identity attack", "identity hate", "insult", "nsfw", "obscene", "offensive", "offensive language"),
        *(
            "profanity",
            "severe toxic",
            "severe toxicity",
            "sexual explicit",
            "threat",
            "toxic",
            "toxicity",
            "unsafe",
        ),
    }
)
#: No classifier in use was trained on longer texts; longer ones come in pieces.
MOST_TOKENS = 512
BATCH_TOKENS = 2048


class TransformersClassifier:
    """Texts -> probabilities, in float32. Threads may share one.

    Labels that exclude each other (softmax) add up; labels that do not (sigmoid) count with the highest.
    """

    #: The middle, since nothing is known about a classifier that somebody else trained.
    default_threshold = 0.5

    def __init__(self, folder: Path, unsafe_labels: Sequence[str] = (), device: str = "cpu") -> None:
        """Raises SafetyClassifierError, naming the folder and what to do."""
        config = _config(folder)
        with _silent():
            self._tokenizer, self._network = _loaded(folder)
        self._network.eval().requires_grad_(False).to(device)
        labels: Mapping[int, str] = self._network.config.id2label
        self._unsafe = unsafe_places(labels, unsafe_labels, folder)
        self._exclusive = _are_exclusive(config, len(labels), len(self._unsafe))
        self._device = device
        # A tokenizer sets itself up for each call: two threads in one would disturb each other.
        self._lock = threading.Lock()
        self._length = min(MOST_TOKENS, self._tokenizer.model_max_length, _positions(self._network.config))
        self._version = _digest(folder, self._unsafe)

    @property
    def version(self) -> str:
        """Another one whenever a file of the folder or the labels that mean abuse are others."""
        return f"transformers-{self._version}"

    def unsafe_probabilities(self, texts: Sequence[str]) -> Floats:
        """(N,), from 0 to 1."""
        return highest(texts, self._probabilities)

    @torch.inference_mode()
    def _probabilities(self, texts: Sequence[str]) -> Floats:
        with self._lock:
            rows = self._tokenizer(list(texts), truncation=True, max_length=self._length)["input_ids"]
        found = np.empty(len(texts))
        for places in batches([len(row) for row in rows], BATCH_TOKENS):
            given = self._tokenizer.pad({"input_ids": [rows[place] for place in places]}, return_tensors="pt")
            logits = self._network(**given.to(self._device)).logits.float().cpu()
            found[places] = self._combined(logits)
        return found

    def _combined(self, logits: torch.Tensor) -> Floats:
        """(B, labels) -> (B,)"""
        if self._exclusive:
            return logits.softmax(-1)[:, self._unsafe].sum(-1).double().numpy()
        return logits.sigmoid()[:, self._unsafe].amax(-1).double().numpy()


def unsafe_places(labels: Mapping[int, str], wanted: Sequence[str], folder: Path) -> list[int]:
    """The labels that mean abuse: those of SAFETY_UNSAFE_LABELS, else those with a telling name.

    Raises SafetyClassifierError where a wanted one is not there, or no name tells.
    """
    names = {_plain(name): place for place, name in labels.items()}
    if missing := [name for name in wanted if _plain(name) not in names]:
        raise SafetyClassifierError(
            f"{folder} has no label {', '.join(missing)}; set SAFETY_UNSAFE_LABELS to some of {_listed(labels)}."
        )
    found = sorted(names[name] for name in {_plain(name) for name in wanted} or UNSAFE_NAMES & set(names))
    if not found:
        raise SafetyClassifierError(
            f"{folder}: which of the labels {_listed(labels)} mean abuse cannot be told from their names; "
            "set SAFETY_UNSAFE_LABELS."
        )
    return found


def _plain(name: str) -> str:
    """``Hate_Speech`` and ``hate-speech`` are ``hate speech``."""
    return " ".join(re.findall(r"[^\W_]+", name.lower()))


def _listed(labels: Mapping[int, str]) -> str:
    return ", ".join(str(name) for name in labels.values())


def _are_exclusive(config: Mapping[str, Any], labels: int, unsafe: int) -> bool:
    """Where config.json does not say: a label alone, or labels that all mean abuse, leave nothing to exclude."""
    if kind := config.get("problem_type"):
        return kind == "single_label_classification" and labels > 1
    return unsafe < labels


def _config(folder: Path) -> dict[str, Any]:
    """config.json, of a folder that has all it needs and can be loaded without running anything of it."""
    config = _described(folder / CONFIG)
    if (folder / TOKENIZER_CONFIG).is_file():
        _described(folder / TOKENIZER_CONFIG)
    if not any(folder.glob("*.safetensors")):
        raise SafetyClassifierError(
            f"{folder} has no safetensors; pickled weights are never read. Save it again "
            "(transformers: save_pretrained)."
        )
    # The library would make up an empty one, which knows no word.
    if not any((folder / name).is_file() for name in VOCABULARIES):
        raise SafetyClassifierError(f"{folder} has no tokenizer: one of {', '.join(VOCABULARIES)} is needed.")
    return config


def _described(path: Path) -> dict[str, Any]:
    try:
        described = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise SafetyClassifierError(
            f"{path}: cannot be read ({error}); SAFETY_CLASSIFIER needs a folder with {CONFIG}, a tokenizer and "
            "safetensors."
        ) from error
    if not isinstance(described, dict) or "auto_map" in described:
        raise SafetyClassifierError(
            f"{path} asks for code of its own (auto_map), which is never run; name another classifier."
        )
    return described


def _loaded(folder: Path) -> tuple[Any, Any]:
    own = {"local_files_only": True, "trust_remote_code": False}
    try:
        tokenizer = AutoTokenizer.from_pretrained(folder, **own)
        network, info = AutoModelForSequenceClassification.from_pretrained(
            folder, use_safetensors=True, dtype=torch.float32, output_loading_info=True, **own
        )
    except Exception as error:  # The library raises whatever the part of it that fails raises.
        said = " ".join(str(error).split())[:300]
        raise SafetyClassifierError(f"{folder}: no text classifier that can be loaded ({said}).") from error
    # The library fills gaps with random numbers: such a classifier would answer, and mean nothing.
    if gaps := sorted(info["missing_keys"]) + [str(each[0]) for each in info["mismatched_keys"]]:
        raise SafetyClassifierError(
            f"{folder} lacks weights of a text classifier ({gaps[0]}); name a folder that was trained as one."
        )
    return tokenizer, network


@contextmanager
def _silent() -> Iterator[None]:
    """The library shows bars and warnings while it loads; what matters of them is an error here."""
    level, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if bars:
            logging.enable_progress_bar()


def _positions(config: Any) -> int:
    """Positions that the network has; RoBERTa's begin after its padding's number."""
    most = int(getattr(config, "max_position_embeddings", None) or MOST_TOKENS)
    is_roberta = "roberta" in str(config.model_type)
    return most - (config.pad_token_id or 0) - 1 if is_roberta else most


def _digest(folder: Path, unsafe: Sequence[int]) -> str:
    files = sorted(
        path for path in folder.iterdir() if path.suffix in (".json", ".safetensors", ".txt", ".model")
    )
    told = [f"{path.name}:{file_sha256(path)}" for path in files if path.is_file()]
    return hashlib.sha256(" ".join([*told, *map(str, unsafe)]).encode()).hexdigest()[:12]
