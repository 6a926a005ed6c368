"""A run's checkpoints: everything that it needs to go on as if nothing had happened.

``checkpoint/state.safetensors`` beside the model holds the network, the optimizer and, in its header, the position
as JSON; ``best-STEP.safetensors`` the network that validation liked best. A file is written under another name,
flushed to the disk and renamed, so that a kill or a full disk at any moment leaves the last good one.
"""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor

from modelhub.training.errors import OtherRun, SnapshotError

FOLDER, STATE = "checkpoint", "state.safetensors"
PARTIAL = ".partial"
FORMAT = 1


class Snapshots:
    """Those of one run. ``identity`` is everything that decides what it learns, by name."""

    def __init__(self, out: Path, identity: dict[str, object]) -> None:
        self._folder = out / FOLDER
        # As it will be read again.
        self._identity: dict[str, object] = json.loads(json.dumps(identity))

    @staticmethod
    def exist(out: Path) -> bool:
        """Whether some run into this folder has a checkpoint."""
        return (out / FOLDER / STATE).is_file()

    def read(self) -> tuple[dict[str, object], dict[str, Tensor]] | None:
        """The position and the tensors of the last checkpoint; None where there is none.

        Raises OtherRun, naming what differs, and SnapshotError for a file that cannot be read.
        """
        path = self._folder / STATE
        if not path.is_file():
            return None
        try:
            with safe_open(path, "pt") as file:
                header = file.metadata() or {}
            stored = json.loads(header["run"])
            if stored["format"] != FORMAT:
                raise ValueError(f"format {stored['format']}, where {FORMAT} is read")
            self._refuse_another(path, stored["identity"])
            return stored["position"], load_file(path)
        except (SafetensorError, OSError, ValueError, KeyError, TypeError) as error:
            raise SnapshotError(
                f"{path}: no checkpoint that can be read ({error}); start again with --restart"
            ) from error

    def write(self, position: dict[str, object], tensors: dict[str, Tensor], best: int) -> None:
        """Replace the last checkpoint; ``best`` is the step whose network is kept with it.

        Raises SnapshotError when it cannot be written; the last one stays.
        """
        stored = {"format": FORMAT, "identity": self._identity, "position": position}
        self._replace(self._folder / STATE, tensors, {"run": json.dumps(stored)})
        for path in self._folder.glob("best-*"):
            if path != self._best(best):
                path.unlink(missing_ok=True)

    def write_best(self, step: int, tensors: dict[str, Tensor]) -> None:
        """Keep a network, beside the one before it until the next checkpoint is there. Raises SnapshotError."""
        self._replace(self._best(step), tensors, {})

    def read_best(self, step: int) -> dict[str, Tensor]:
        """Raises SnapshotError."""
        try:
            return load_file(self._best(step))
        except (SafetensorError, OSError) as error:
            raise SnapshotError(
                f"{self._best(step)}: cannot be read ({error}); start again with --restart"
            ) from error

    def clear(self) -> None:
        """Remove the run's checkpoints."""
        shutil.rmtree(self._folder, ignore_errors=True)

    def _best(self, step: int) -> Path:
        return self._folder / f"best-{step}.safetensors"

    def _refuse_another(self, path: Path, stored: dict[str, object]) -> None:
        names = [
            name for name in {**stored, **self._identity} if stored.get(name) != self._identity.get(name)
        ]
        if names:
            differ = ", ".join(
                f"{name} {_short(stored.get(name))}, now {_short(self._identity.get(name))}" for name in names
            )
            raise OtherRun(
                f"{path}: a checkpoint of another run ({differ}); give the options it was made with, "
                "or start again with --restart"
            )

    def _replace(self, path: Path, tensors: dict[str, Tensor], header: dict[str, str]) -> None:
        partial = path.with_name(path.name + PARTIAL)
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            save_file(tensors, partial, header)
            with partial.open("rb") as file:
                os.fsync(file.fileno())
            partial.replace(path)
            _flush(self._folder)
        except (SafetensorError, OSError) as error:
            partial.unlink(missing_ok=True)
            kept = self._folder / STATE
            raise SnapshotError(
                f"{path}: the checkpoint could not be written ({error}). "
                + (f"The last good one, {kept}, stays: " if kept.is_file() else "There is none before it: ")
                + "make room on the disk, and give the same command again to go on from there"
            ) from error


def _short(value: object) -> str:
    """Nobody compares all of a hash."""
    return str(value) if len(str(value)) < 64 else f"{str(value)[:12]}…"


def _flush(folder: Path) -> None:
    """A rename is on the disk only when its folder is."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
