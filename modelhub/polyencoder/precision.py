"""Which precision encoders are to compute in; here alone a CPU is asked what it multiplies well in."""

from __future__ import annotations

import torch

#: Instructions with which a CPU multiplies bfloat16 faster than float32.
BFLOAT16_FLAGS = ("avx512_bf16", "amx_bf16")


def has_fast_bfloat16(device: torch.device) -> bool:
    """Whether the device multiplies matrices in bfloat16 faster than in float32."""
    if device.type == "cuda":
        return torch.cuda.get_device_capability(device) >= (8, 0)
    has = torch.cpu.get_capabilities() if device.type == "cpu" else {}
    return any(bool(has.get(flag)) for flag in BFLOAT16_FLAGS)


def serving_precision(device: torch.device) -> torch.dtype:
    """What encoders multiply in when they answer or embed a bank: the setting SERVING_PRECISION.

    Where Django was not set up the device alone decides.
    """
    from django.conf import settings

    match settings.SERVING_PRECISION if settings.configured else "auto":
        case "float32":
            return torch.float32
        case "bfloat16":
            return torch.bfloat16
    return torch.bfloat16 if has_fast_bfloat16(device) else torch.float32
