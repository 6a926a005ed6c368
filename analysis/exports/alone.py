"""One writer a folder: two that take turns would leave files of both."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from analysis.errors import FolderBusy


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Nobody else who asks this way writes into the folder meanwhile; it is made where there is none.

    A process that is killed lets go of it. What is no folder is left to whoever writes. Raises FolderBusy.
    """
    if not folder.exists():
        folder.mkdir(parents=True, exist_ok=True)
    if not folder.is_dir():
        yield
        return
    held = os.open(folder, os.O_RDONLY)
    try:
        _take(held, folder)
        yield
    finally:
        os.close(held)


def _take(held: int, folder: Path) -> None:
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise FolderBusy(
            f"Another command is writing into {folder}; wait until it is done, or name another folder."
        ) from None
