"""Whether a model fits where it is to be loaded. torch is imported here, so only workers import this.

What a model needs is estimated from its files by factors that follow from how they are read. Too little would end the
worker, and with it every other model; too much only refuses a model that just fits. Of the shipped models the first is
estimated at 223 MB and takes 113, each later one, which shares its encoder, at 109 and takes 5 to 14; what answering
takes beside that, some 300 MB for all eight, is what the margins are for.
"""

from __future__ import annotations

import os
from pathlib import Path

import psutil
import torch
from django.conf import settings

from modelhub import registry
from modelhub.errors import DoesNotFit
from modelhub.models import Revision
from modelhub.parlai import storage
from modelhub.polyencoder import base as base_encoder
from modelhub.polyencoder import checkpoints
from modelhub.serving.placement import Placement

MB = 1_000_000
#: For a batch's own tensors, and what allocators round up; a GPU's pass over a bank holds its products twice.
MARGIN_MB = {"cpu": 100, "cuda": 3000}
#: Weights are stored in half precision. A CPU reads them in float32 and packs a copy for its products.
WEIGHTS_FACTOR = {"cpu": 2.5, "cuda": 1.3}
#: A bank stays on disk; in memory are its texts and, on a CPU, eight bits a value, on a GPU float32.
BANK_FACTOR = {"cpu": 0.6, "cuda": 2.0}
TEXTS_FACTOR = 4.0
CGROUP = Path("/sys/fs/cgroup")


def check_fits(revision: Revision, placed: Placement) -> None:
    """Raises DoesNotFit, naming what is needed and what is free."""
    needed, free = needed_mb(revision, placed), free_mb(placed.device)
    if needed > free:
        raise DoesNotFit(
            f"{revision.reference} needs about {needed:,} MB and {placed.device} has {free:,} MB free: give it a "
            "worker of its own (manage.py serve --models), a smaller bank, or raise SERVING_MEMORY_MB if it is set."
        )


def out_of_memory(revision: Revision, placed: Placement) -> DoesNotFit:
    """What to raise when loading ran out of memory although the estimate fitted."""
    return DoesNotFit(
        f"{revision.reference} ran out of memory on {placed.device} while it was loaded, with "
        f"{free_mb(placed.device):,} MB free now: give it a worker of its own (manage.py serve --models) or a smaller "
        "bank."
    )


def needed_mb(revision: Revision, placed: Placement) -> int:
    """What loading a revision will take on its device, in MB; its parts are revisions of their own."""
    if revision.kind not in (Revision.Kind.RETRIEVAL, Revision.Kind.TWO_STAGE):
        return 0
    kind, folder = placed.device.partition(":")[0], registry.folder_of(revision)
    weights = _size(folder / checkpoints.WEIGHTS) + _unread_base(folder)
    bank = _size(folder / registry.EMBEDDINGS) * BANK_FACTOR[kind]
    texts = _size(folder / "bank.jsonl") * TEXTS_FACTOR if kind == "cpu" else 0
    return round((weights * WEIGHTS_FACTOR[kind] + bank + texts) / MB) + MARGIN_MB[kind]


def _unread_base(folder: Path) -> float:
    """Bytes of the base encoder in half precision, when this model is the first in the process that needs it."""
    if checkpoints.kind(folder) == storage.KIND:
        return 0  # imported from ParlAI: its weights are all there
    encoder = checkpoints.encoder_folder(folder)
    if encoder == folder / checkpoints.ENCODER or base_encoder.state.cache_info().currsize:
        return 0
    return _size(encoder / base_encoder.WEIGHTS) / 2


def _size(path: Path) -> int:
    return path.stat().st_size if path.is_file() else 0


def free_mb(device: str) -> int:
    """What may still be taken on a device, in MB: by the machine, its container, and SERVING_MEMORY_MB."""
    if device.startswith("cuda"):
        free = torch.cuda.mem_get_info(device)[0]
    else:
        free = min(psutil.virtual_memory().available, _left_in_container())
    if settings.SERVING_MEMORY_MB:
        free = min(free, settings.SERVING_MEMORY_MB * MB - used_mb(device) * MB)
    return max(0, round(free / MB))


def used_mb(device: str) -> int:
    """What this process holds on a device, in MB."""
    if device.startswith("cuda"):
        return round(torch.cuda.memory_reserved(device) / MB)
    return round(psutil.Process(os.getpid()).memory_info().rss / MB)


def _left_in_container() -> float:
    """What the control group leaves, where one bounds memory (Linux, version 2)."""
    try:
        limit = (CGROUP / "memory.max").read_text().strip()
        current = int((CGROUP / "memory.current").read_text())
        return float("inf") if limit == "max" else int(limit) - current
    except (OSError, ValueError):
        return float("inf")
