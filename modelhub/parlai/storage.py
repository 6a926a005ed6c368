"""An imported model in this project's format: ``config.json``, ``weights.safetensors``, ``dictionary.txt`` and
``merges.txt``, beside the bank.

config.json: ``{"format": 1, "kind": "parlai_polyencoder", "padded_dictionary", "source", "options"}``; ``source``
tells where the weights come from. Tensors keep ParlAI's names and the precision in which they were saved.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from modelhub.errors import CheckpointError
from modelhub.parlai.checkpoint import CODECS, DICTIONARY, Stored, check_tensors
from modelhub.parlai.config import ParlaiConfig
from modelhub.parlai.network import ParlaiPolyEncoder
from modelhub.parlai.tokens import Dictionary, ParlaiTextEncoder
from modelhub.polyencoder.checkpoints import CONFIG, WEIGHTS, read_tensors, write_tensors

KIND = "parlai_polyencoder"
FORMAT = 1
TOKENS, MERGES = "dictionary.txt", "merges.txt"


def save(folder: Path, stored: Stored, source: Mapping[str, str]) -> None:
    """Write a model that was read from ParlAI's files into ``folder``, which is made."""
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(stored.folder / DICTIONARY, folder / TOKENS)
    shutil.copyfile(stored.folder / CODECS, folder / MERGES)
    write_tensors(folder / WEIGHTS, _apart(stored.tensors))
    described = {
        "format": FORMAT,
        "kind": KIND,
        "padded_dictionary": stored.padded,
        "source": dict(source),
        "options": stored.config.as_dict(),
    }
    (folder / CONFIG).write_text(json.dumps(described, indent=2) + "\n", encoding="utf-8")


def load(
    folder: Path, *, device: str = "cpu", dtype: torch.dtype = torch.float32
) -> tuple[ParlaiPolyEncoder, ParlaiTextEncoder]:
    """The folder's network, in evaluation mode, and its text encoder.

    ``dtype`` is the encoders'; codes and attention over views stay in float32.
    Raises CheckpointError, naming the file, for anything that does not fit exactly.
    """
    described = _read_description(folder / CONFIG)
    config = _config(described["options"], folder / CONFIG)
    dictionary = Dictionary.of(
        config, folder / TOKENS, folder / MERGES, padded=bool(described["padded_dictionary"])
    )
    if dictionary.size != config.vocabulary:
        raise CheckpointError(
            f"{folder / TOKENS}: {dictionary.size} tokens, but {CONFIG} says {config.vocabulary}; import it again."
        )
    tensors = read_tensors(folder / WEIGHTS, device)
    check_tensors(config, tensors, folder / WEIGHTS)
    with torch.device("meta"):
        network = ParlaiPolyEncoder(config)
    network.load_state_dict(
        {name: _cast(name, tensor, dtype) for name, tensor in tensors.items()}, assign=True
    )
    return network.eval().requires_grad_(False), ParlaiTextEncoder(config, dictionary)


def _apart(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Contiguous tensors that share no memory, as a safetensors file needs them, in half or single precision."""
    found: dict[str, Tensor] = {}
    seen: set[int] = set()
    for name, tensor in tensors.items():
        kept = tensor.to(torch.float16 if tensor.dtype == torch.float16 else torch.float32).contiguous()
        storage = kept.untyped_storage()
        if storage.data_ptr() in seen or storage.nbytes() != kept.numel() * kept.element_size():
            kept = kept.clone()
        seen.add(kept.untyped_storage().data_ptr())
        found[name] = kept
    return found


def _read_description(path: Path) -> dict[str, Any]:
    try:
        described = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise CheckpointError(f"{path}: cannot be read as JSON ({error}); import the model again.") from error
    expected = {"format", "kind", "padded_dictionary", "source", "options"}
    if not isinstance(described, dict) or set(described) != expected or described["kind"] != KIND:
        raise CheckpointError(f"{path}: no description of a {KIND}; import the model again.")
    if described["format"] != FORMAT:
        raise CheckpointError(
            f"{path}: format {described['format']} came, {FORMAT} is needed; import the model again."
        )
    return described


def _config(options: object, path: Path) -> ParlaiConfig:
    if not isinstance(options, dict):
        raise CheckpointError(f"{path}: options must be an object; import the model again.")
    try:
        return ParlaiConfig.from_dict(options, str(path))
    except TypeError as error:
        raise CheckpointError(f"{path}: an option is missing ({error}); import the model again.") from error


def _cast(name: str, tensor: Tensor, dtype: torch.dtype) -> nn.Parameter:
    of_encoder = name.startswith(("encoder_ctxt.", "encoder_cand."))
    return nn.Parameter(tensor.to(dtype if of_encoder else torch.float32), requires_grad=False)
