"""Tiny checkpoints in ParlAI's files, written by the tests themselves."""

from __future__ import annotations

import json
import os
import pickle
import tarfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import torch

from modelhub.parlai.config import ParlaiConfig
from modelhub.parlai.network import ParlaiPolyEncoder

WORDS = ("river", "boat", "the", "you", "like", "fish", "water", "__newln__")
TOKENS = [
    "__null__",
    "__start__",
    "__unk__",
    *WORDS,
    "i",
    "?",
    ".",
    "!",
    "river@@",
    "s",
    "b@@",
    "o@@",
    "e@@",
    "a",
]


def merges_of(words: Iterable[str]) -> list[str]:
    """Pairs that make each word whole, from its beginning."""
    merges: list[str] = []
    for word in words:
        for end in range(1, len(word)):
            last = "</w>" if end == len(word) - 1 else ""
            merges.append(f"{word[:end]} {word[end]}{last}")
    return list(dict.fromkeys(merges))


MERGES = merges_of([*WORDS, "riverx"])
CANDIDATES = ["the river", "you like fish .", "i like the boat !", "the water ?", "river river river"]
OPTIONS: dict[str, Any] = {
    "model": "transformer/polyencoder",
    "embedding_size": 16,
    "n_layers": 1,
    "n_heads": 2,
    "ffn_size": 24,
    "n_positions": 24,
    "n_segments": 2,
    "variant": "xlm",
    "activation": "gelu",
    "embeddings_scale": False,
    "learn_positional_embeddings": True,
    "output_scaling": 1.0,
    "reduction_type": "mean",
    "share_encoders": False,
    "polyencoder_type": "codes",
    "poly_n_codes": 4,
    "poly_attention_type": "basic",
    "codes_attention_type": "basic",
    "text_truncate": 20,
    "label_truncate": 8,
    "truncate": 1024,
    "dict_tokenizer": "bpe",
    "dict_lower": True,
    "dict_endtoken": "__start__",
    "history_size": 20,
    "delimiter": "\n",
    "fixed_candidates_path": "/somewhere/else/cands.txt",
    # Harmless ones, and one that the network does not have.
    "learningrate": 5e-05,
    "batchsize": 512,
    "n_decoder_layers": 7,
    "starttime": "May01_10-00",
}
CONFIG = ParlaiConfig(
    vocabulary=len(TOKENS),
    width=16,
    layers=1,
    heads=2,
    feed_forward=24,
    positions=24,
    variant="xlm",
    activation="gelu",
    scaled_embeddings=False,
    views=4,
    text_truncate=20,
    label_truncate=8,
)


def make_network(config: ParlaiConfig, seed: int = 1) -> ParlaiPolyEncoder:
    """A network whose parameters are all random, norms and padding too, so that a wrong one shows."""
    torch.manual_seed(seed)
    network = ParlaiPolyEncoder(config)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.copy_(torch.randn_like(parameter) * 0.5)
    return network.eval().requires_grad_(False)


def write_dictionary(folder: Path, tokens: list[str] = TOKENS, merges: list[str] = MERGES) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    lines = (f"{token}\t{1000 - place}" for place, token in enumerate(tokens))
    (folder / "model.dict").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (folder / "model.dict.codecs").write_text("\n".join(["#version: 0.2", *merges]) + "\n", encoding="utf-8")


def write_model(
    folder: Path, config: ParlaiConfig = CONFIG, seed: int = 1, zipped: bool = True, **options: object
) -> Path:
    """A folder as ParlAI writes it; options that are ``...`` are left out."""
    write_dictionary(folder)
    (folder / "cands.txt").write_text("\n".join(CANDIDATES) + "\n", encoding="utf-8")
    merged = {name: value for name, value in {**OPTIONS, **options}.items() if value is not ...}
    (folder / "model.opt").write_text(json.dumps(merged), encoding="utf-8")
    saved = {"model": make_network(config, seed).state_dict(), "number_training_updates": 7}
    write_saved(folder, saved, zipped)
    return folder


def write_saved(folder: Path, saved: object, zipped: bool = True) -> None:
    torch.save(saved, folder / "model", _use_new_zipfile_serialization=zipped)


def packed(folder: Path, inside: str = ".") -> Path:
    archive = folder.parent / "v1.0.tar.gz"
    with tarfile.open(archive, "w:gz") as file:
        file.add(folder, inside)
    return archive


class Malicious:
    """Creates a file where it is unpickled by a reader that runs what it reads."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self):
        return (os.system, (f"touch {self.path}",))


def write_malicious(folder: Path, trap: Path, way: str) -> None:
    tensors = {**make_network(CONFIG).state_dict()}
    match way:
        case "pickle":
            (folder / "model").write_bytes(pickle.dumps(Malicious(trap), protocol=2))
        case "beside":
            write_saved(folder, {"model": tensors, "optimizer": Malicious(trap)})
        case "beside, no zip":
            write_saved(folder, {"model": tensors, "optimizer": Malicious(trap)}, zipped=False)
        case "inside":
            write_saved(folder, {"model": {**tensors, "codes": Malicious(trap)}})
