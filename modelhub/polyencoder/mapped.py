"""A tensor of a safetensors file that stays on disk: what is not read takes no memory."""

from __future__ import annotations

import json
import math
import mmap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from modelhub.errors import CheckpointError

#: What the format calls the types that a bank may have.
DTYPES = {"F16": torch.float16, "BF16": torch.bfloat16, "F32": torch.float32}


def map_tensor(path: Path, name: str) -> tuple[Tensor, Callable[[], None]]:
    """A tensor over the file's own bytes, and a function that gives back the memory of what was read.

    Whoever replaces the file must write another and rename it: a mapped file that is cut short ends the process.
    Raises CheckpointError for another kind of file, or another type.
    """
    described, begin = _described(path, name)
    if described["dtype"] not in DTYPES:
        raise CheckpointError(
            f"{path}: {name} is {described['dtype']}; {', '.join(DTYPES)} can be read. Embed the bank again."
        )
    with path.open("rb") as file:
        # Private: torch takes no buffer that cannot be written, and what were written would not reach the file.
        mapping = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY)
    dtype, shape, offsets = DTYPES[described["dtype"]], described["shape"], described["data_offsets"]
    flat = torch.frombuffer(mapping, dtype=dtype, count=math.prod(shape), offset=begin + offsets[0])
    return flat.view(shape), lambda: _give_back(mapping)


def _described(path: Path, name: str) -> tuple[dict[str, Any], int]:
    """The header's entry of a tensor, and where the tensors' bytes begin."""
    try:
        with safe_open(path, "pt") as file:  # checks the header against the file's length
            if name not in file.keys():  # noqa: SIM118
                raise CheckpointError(
                    f"{path}: no tensor `{name}`; it has {', '.join(file.keys()) or 'none'}."
                )
    except (SafetensorError, FileNotFoundError) as error:
        raise CheckpointError(f"{path}: no safetensors file ({error}); embed the bank again.") from error
    with path.open("rb") as raw:
        length = int.from_bytes(raw.read(8), "little")
        return json.loads(raw.read(length))[name], 8 + length


def _give_back(mapping: mmap.mmap) -> None:
    if hasattr(mmap, "MADV_DONTNEED"):
        mapping.madvise(mmap.MADV_DONTNEED)
