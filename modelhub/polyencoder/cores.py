"""How many networks compute at once on a CPU: one a core, each with a single thread of torch.

Products as small as these gain little from several threads, and threads that wait for one another burn the cores:
docs/performance.md has what single threads changed.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import torch

CORES = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
#: Hold one while a network computes; never two.
core = threading.BoundedSemaphore(CORES)


def compute_on_single_threads() -> None:
    """For a process that serves; training wants all threads for one network."""
    torch.set_num_threads(1)


@contextmanager
def held_for(device: torch.device) -> Iterator[None]:
    """A core while a network computes on the CPU; a GPU has its own order, and needs none."""
    if device.type != "cpu":
        yield
        return
    with core:
        yield
