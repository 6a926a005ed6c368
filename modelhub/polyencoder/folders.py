"""Folders of models that are there as a whole, or not at all."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from modelhub.errors import CheckpointError


def require_new(out: Path) -> None:
    """Raises CheckpointError where ``out`` holds something already."""
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise CheckpointError(f"{out} is there already; remove it, or name another folder with --out.")


@contextmanager
def made_whole(out: Path) -> Iterator[Path]:
    """A folder beside ``out`` that gets its name when nothing went wrong.

    Raises CheckpointError where ``out`` holds something already, or cannot be written.
    """
    require_new(out)
    beside = out.with_name(f".{out.name}.unfinished")
    shutil.rmtree(beside, ignore_errors=True)
    try:
        beside.mkdir(parents=True)
        yield beside
        beside.replace(out)
    except OSError as error:
        raise CheckpointError(
            f"{out} cannot be written ({error}); make room, or name another folder."
        ) from error
    finally:
        shutil.rmtree(beside, ignore_errors=True)
