"""Where networks are, and what they multiply in. torch is imported here, so only workers import this."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from django.conf import settings

from modelhub.errors import CheckpointError
from modelhub.polyencoder.precision import serving_precision


@dataclass(frozen=True, slots=True)
class Placement:
    """Where networks are, and what they multiply in."""

    device: str
    precision: torch.dtype

    @property
    def dtype(self) -> torch.dtype:
        """What weights are read in: on a CPU float32, which packed.py turns into what it multiplies in."""
        return torch.float32 if self.device.startswith("cpu") else self.precision


def placement() -> Placement:
    """Where a site's networks are, SERVING_DEVICE, and what they multiply in, SERVING_PRECISION."""
    device = settings.SERVING_DEVICE
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    if device.startswith("cuda") and not torch.cuda.is_available():
        raise CheckpointError(
            f"SERVING_DEVICE is {device}, but torch finds no GPU here; set it to cpu or auto."
        )
    return Placement(device, serving_precision(torch.device(device)))


def exact_placement() -> Placement:
    """Where networks are whose results must not depend on how a site serves: the same device, in float32."""
    return Placement(placement().device, torch.float32)
