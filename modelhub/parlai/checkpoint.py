"""Read what ParlAI saved: ``model``, ``model.opt``, ``model.dict`` and ``model.dict.codecs``.

``model`` is a pickle, and a pickle can run code. It is read by torch's reader for weights alone, which knows tensors
and plain values and calls nothing that a file names; this is the one place of the project that reads such a file.
"""

from __future__ import annotations

import pickle
import re
import zipfile
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor

from modelhub.errors import CheckpointError
from modelhub.parlai import options as parlai_options
from modelhub.parlai.config import ParlaiConfig
from modelhub.parlai.network import ParlaiPolyEncoder
from modelhub.parlai.tokens import Dictionary

MODEL, OPTIONS, DICTIONARY, CODECS = "model", "model.opt", "model.dict", "model.dict.codecs"
CONTEXT_EMBEDDINGS = "encoder_ctxt.embeddings.weight"
SEGMENTS = "encoder_ctxt.segment_embeddings.weight"
CANDIDATE_ENCODER = "encoder_cand."
#: Objects beside the weights of models that were trained in half precision; what they hold is thrown away.
LOSS_SCALERS = (
    "apex.amp.scaler.LossScaler",
    "apex.fp16_utils.loss_scaler.DynamicLossScaler",
    "apex.fp16_utils.loss_scaler.LossScaler",
    "parlai.utils.fp16.DynamicLossScaler",
)
#: ParlAI wraps its network for several GPUs, and older versions kept the wrapper's name.
WRAPPER = "module."
AGAIN = "fetch the model again, or ask who made it for the weights alone"


class _Nothing:
    """Stands for an object that is not needed: takes any state and keeps none."""

    def __setstate__(self, state: object) -> None:
        pass


@dataclass(frozen=True, slots=True)
class Stored:
    """A folder's model: its configuration, and its tensors by name as they were saved, half precision included.

    ``padded`` is whether the dictionary is filled up to a multiple of eight.
    """

    folder: Path
    config: ParlaiConfig
    tensors: dict[str, Tensor]
    options: dict[str, object]
    padded: bool

    @property
    def dictionary(self) -> Dictionary:
        return Dictionary.of(self.config, self.folder / DICTIONARY, self.folder / CODECS, padded=self.padded)


def read(folder: Path) -> Stored:
    """A folder as ParlAI wrote it. Raises CheckpointError, naming the file, for anything that does not fit."""
    options = parlai_options.read(folder / OPTIONS)
    # Before the weights: they may take minutes, and options are refused most often.
    parlai_options.check(options, folder / OPTIONS)
    tensors = read_tensors(folder / MODEL)
    rows = tensors[CONTEXT_EMBEDDINGS].shape[0] if CONTEXT_EMBEDDINGS in tensors else 0
    config = parlai_options.to_config(
        options,
        folder / OPTIONS,
        vocabulary=max(rows, 1),
        segments=tensors[SEGMENTS].shape[0] if SEGMENTS in tensors else 0,
        separate_encoders=any(name.startswith(CANDIDATE_ENCODER) for name in tensors),
    )
    halves = any(tensor.dtype == torch.float16 for tensor in tensors.values())
    padded = parlai_options.pads_dictionary(options) or halves
    stored = Stored(folder, config, tensors, options, padded)
    size = stored.dictionary.size
    if padded and rows != size:
        # Half precision alone does not mean that tokens were added.
        stored = replace(stored, padded=False)
        size = stored.dictionary.size
    check_tensors(replace(config, vocabulary=size), tensors, folder / MODEL)
    return stored


def read_tensors(path: Path) -> dict[str, Tensor]:
    """The network's tensors in a file that ParlAI saved. Raises CheckpointError, naming it."""
    if not path.is_file():
        raise CheckpointError(
            f"{path} is missing: name a folder with {MODEL}, {OPTIONS}, {DICTIONARY}, {CODECS}."
        )
    saved = _unpickled(path)
    tensors = saved.get("model") if isinstance(saved, dict) else None
    if not isinstance(tensors, dict) or not tensors:
        raise CheckpointError(f"{path}: no tensors under `model`; it is no checkpoint of ParlAI: {AGAIN}.")
    for name, tensor in tensors.items():
        if not isinstance(name, str) or not isinstance(tensor, Tensor):
            raise CheckpointError(f"{path}: {name!r} is no tensor; {AGAIN}.")
    if all(name.startswith(WRAPPER) for name in tensors):
        return {name.removeprefix(WRAPPER): tensor for name, tensor in tensors.items()}
    return dict(tensors)


def _unpickled(path: Path) -> object:
    is_zip = zipfile.is_zipfile(path)
    if is_zip:
        _check_zip(path)
    harmless = [(_Nothing, name) for name in LOSS_SCALERS]
    try:
        with torch.serialization.safe_globals(harmless):
            # Mapped, a zip's optimizer state is never read; files of before 2020 are no zip.
            return torch.load(path, map_location="cpu", weights_only=True, mmap=is_zip)
    except pickle.UnpicklingError as error:
        named = re.search(r"GLOBAL ([\w.]+)", str(error))
        what = f"it asks for {named[1]}" if named else "it is no list of tensors"
        raise CheckpointError(
            f"{path}: holds more than tensors and plain values ({what}). Pickled code is never run; {AGAIN}."
        ) from error
    except Exception as error:
        # A damaged or hostile file may break a reader in any way; all of them mean the same.
        raise CheckpointError(
            f"{path}: damaged or cut off ({type(error).__name__}: {error}); {AGAIN}."
        ) from error


def _check_zip(path: Path) -> None:
    """Refuse archives that torch did not write: compressed ones may be bombs, changed ones fail their checksums."""
    try:
        with zipfile.ZipFile(path) as archive:
            compressed = [
                member for member in archive.infolist() if member.compress_type != zipfile.ZIP_STORED
            ]
            broken = None if compressed else archive.testzip()
    except (zipfile.BadZipFile, OSError, ValueError, RuntimeError) as error:
        raise CheckpointError(f"{path}: a damaged zip archive ({error}); {AGAIN}.") from error
    if compressed or broken:
        what = f"{broken} has a wrong checksum" if broken else "compressed, as torch never writes them"
        raise CheckpointError(f"{path}: a changed checkpoint ({what}); {AGAIN}.")


def check_tensors(config: ParlaiConfig, tensors: dict[str, Tensor], path: Path) -> None:
    """Exactly the tensors of this configuration's network, in its shapes. Raises CheckpointError, naming one."""
    with torch.device("meta"):
        shapes = {name: tuple(t.shape) for name, t in ParlaiPolyEncoder(config).state_dict().items()}
    if missing := sorted(set(shapes) - set(tensors)):
        raise CheckpointError(f"{path}: {_some(missing)} missing, which the options ask for; {AGAIN}.")
    if unknown := sorted(set(tensors) - set(shapes)):
        raise CheckpointError(f"{path}: {_some(unknown)} came, which the options do not ask for; {AGAIN}.")
    for name, tensor in tensors.items():
        _check_tensor(name, tensor, shapes[name], path)


def _check_tensor(name: str, tensor: Tensor, shape: tuple[int, ...], path: Path) -> None:
    found = tuple(tensor.shape)
    if found != shape and name.endswith(".embeddings.weight") and found[1:] == shape[1:]:
        raise CheckpointError(
            f"{path}: {name} has {found[0]} rows, but the dictionary {shape[0]} tokens: the vocabulary does not "
            f"match. Put the model's own {DICTIONARY} beside it."
        )
    if found != shape:
        raise CheckpointError(f"{path}: {name} is {found}, but the options ask for {shape}; {AGAIN}.")
    if not tensor.is_floating_point() or tensor.layout != torch.strided:
        raise CheckpointError(f"{path}: {name} is {tensor.dtype}, {tensor.layout}; floating point is needed.")
    if tensor.untyped_storage().nbytes() < tensor.numel() * tensor.element_size():
        raise CheckpointError(f"{path}: {name} is larger than what is stored of it; {AGAIN}.")
    if not tensor.isfinite().all():
        raise CheckpointError(f"{path}: {name} is not finite everywhere; {AGAIN}.")


def _some(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{names[0]} and {len(names) - 1} more"
