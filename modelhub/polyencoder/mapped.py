"""A tensor of a safetensors file that stays on disk: what is not read takes no memory."""

from __future__ import annotations

import json
import math
import mmap
import os
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from modelhub.errors import CheckpointError

#: What the format calls the types that a bank may have.
DTYPES = {"F16": torch.float16, "BF16": torch.bfloat16, "F32": torch.float32}


class Mapped:
    """A tensor over the file's own bytes. Safe to use from several threads.

    Whoever replaces the file must write another and rename it: a mapped file that is cut short ends the process.
    Raises CheckpointError for another kind of file, or another type.
    """

    def __init__(self, path: Path, name: str) -> None:
        described, begin = _described(path, name)
        if described["dtype"] not in DTYPES:
            raise CheckpointError(
                f"{path}: {name} is {described['dtype']}; {', '.join(DTYPES)} can be read. Embed the bank again."
            )
        self._path = path
        self._file = path.open("rb")
        # Private: torch takes no buffer that cannot be written, and what were written would not reach the file.
        self._mapping = mmap.mmap(self._file.fileno(), 0, access=mmap.ACCESS_COPY)
        self._begin = begin + described["data_offsets"][0]
        self._dtype, self._shape = DTYPES[described["dtype"]], described["shape"]
        count = math.prod(self._shape)
        flat = torch.frombuffer(self._mapping, dtype=self._dtype, count=count, offset=self._begin)
        self.tensor = flat.view(self._shape)

    def take(self, places: Tensor) -> Tensor:
        """Some rows (n, ...), each read by itself: a touched page of the mapping would bring megabytes with it."""
        found = torch.empty(len(places), *self._shape[1:], dtype=self._dtype)
        rows = found.view(torch.uint8).numpy().reshape(len(places), -1)
        for row, place in zip(rows, places.tolist(), strict=True):
            if os.preadv(self._file.fileno(), [row.data], self._begin + place * len(row)) != len(row):
                raise CheckpointError(
                    f"{self._path} was cut short while it was in use; embed the bank again."
                )
        return found

    def release(self) -> None:
        """Give back the memory of what was read through ``tensor``."""
        if hasattr(mmap, "MADV_DONTNEED"):
            self._mapping.madvise(mmap.MADV_DONTNEED)


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
