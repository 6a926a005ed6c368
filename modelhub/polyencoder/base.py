"""The base encoder: a BERT in a folder of its own (config.json, tokenizer.json, model.safetensors).

Its tensors are read once a process and shared by every network that is loaded for serving; a checkpoint holds
only what differs from them.
"""

from __future__ import annotations

import hashlib
import json
from functools import lru_cache
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor
from transformers import BertConfig, BertModel

from modelhub.errors import BaseEncoderMissing

WEIGHTS = "model.safetensors"
PICKLED = "pytorch_model.bin"
#: Parts of a BERT that no network here uses, and a buffer that old files carry.
UNUSED = ("pooler.", "cls.", "embeddings.position_ids")
#: What stands before the names of a BERT that was saved with its heads.
PREFIX = "bert."
_addresses: set[int] = set()


def base_folder() -> Path:
    """The folder that the setting BASE_ENCODER names."""
    from django.conf import settings

    return Path(settings.BASE_ENCODER)


def fingerprint(folder: Path) -> str:
    """SHA-256 of the base's weights: a delta fits only the base that it was made against."""
    return _fingerprint(_required(folder, WEIGHTS))


@lru_cache(maxsize=8)
def _fingerprint(weights: Path) -> str:
    with weights.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@lru_cache(maxsize=8)
def state(folder: Path, device: str = "cpu", dtype: torch.dtype = torch.float32) -> dict[str, Tensor]:
    """The base's tensors by name; always the same objects. Whoever trains must copy them first."""
    weights = _required(folder, WEIGHTS)
    try:
        tensors = load_file(weights, device=device)
    except SafetensorError as error:
        raise BaseEncoderMissing(f"{weights}: no safetensors file ({error}); set BASE_ENCODER.") from error
    named = {name.removeprefix(PREFIX): tensor for name, tensor in tensors.items()}
    found = {name: tensor.to(dtype) for name, tensor in named.items() if not name.startswith(UNUSED)}
    _addresses.update(tensor.data_ptr() for tensor in found.values())
    return found


def is_shared(tensor: Tensor) -> bool:
    """Whether a tensor is one of those that ``state`` gave, and not a copy."""
    return tensor.data_ptr() in _addresses


def empty_encoder(folder: Path) -> BertModel:
    """The base's network with tensors still to be assigned (meta device), without a pooler.

    Raises BaseEncoderMissing where config.json describes no BERT.
    """
    with torch.device("meta"):
        return BertModel(_config(folder), add_pooling_layer=False)


def random_encoder(folder: Path) -> BertModel:
    """The base's network with tensors as they are before any training, drawn from torch's generator."""
    return BertModel(_config(folder), add_pooling_layer=False)


def _config(folder: Path) -> BertConfig:
    path = _required(folder, "config.json")
    try:
        described = json.loads(path.read_bytes())
        kind = described.get("model_type", "not said")
        if kind != "bert":
            raise ValueError(f"its model_type is {kind}, and only bert can be used")
        config = BertConfig.from_dict(described)
    except (ValueError, AttributeError, TypeError) as error:
        raise BaseEncoderMissing(f"{path}: no BERT ({error}); name a folder with a BERT encoder.") from error
    config._attn_implementation = "sdpa"
    return config


def place_buffers(encoder: BertModel, device: str) -> None:
    """Give a meta encoder's two buffers their values; no checkpoint holds them."""
    positions = torch.arange(encoder.config.max_position_embeddings, device=device)[None]
    encoder.embeddings.position_ids = positions
    encoder.embeddings.token_type_ids = torch.zeros_like(positions)


def _required(folder: Path, name: str) -> Path:
    path = folder / name
    if not path.is_file() and name == WEIGHTS and (folder / PICKLED).is_file():
        raise BaseEncoderMissing(
            f"{folder / PICKLED} is pickled and never read; save the encoder again as {WEIGHTS} "
            "(transformers: save_pretrained)."
        )
    if not path.is_file():
        raise BaseEncoderMissing(
            f"{path} is missing: the base encoder needs {name}. Install requirements-nodeps.txt with "
            "--no-deps, or set BASE_ENCODER to a folder with a BERT encoder."
        )
    return path
