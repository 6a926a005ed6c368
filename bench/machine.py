"""What figures were taken on: they mean nothing without it."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from pathlib import Path

#: The instruction sets that decide how fast matrix products are.
TELLING_FLAGS = ("avx2", "fma", "avx512f", "avx512_vnni", "avx512_bf16", "amx_bf16", "amx_int8")


def machine() -> str:
    """Processor, cores and the flags that matter, in a line."""
    told: dict[str, str] = {}
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        name, _, value = line.partition(":")
        told.setdefault(name.strip(), value.strip())
    flags = told.get("flags", "").split()
    has = " ".join(flag for flag in TELLING_FLAGS if flag in flags) or "none of the flags that matter"
    cores = len(os.sched_getaffinity(0))
    python, load = platform.python_version(), os.getloadavg()[0]
    return f"{told.get('model name', 'unknown processor')}, {cores} cores, {has}; Python {python}; load {load:.1f}"


def memory_mb(pid: int) -> tuple[float, float]:
    """Resident memory of a process now, and its highest so far, in MB."""
    told = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    return _kb(told["VmRSS"]) / 1024, _kb(told["VmHWM"]) / 1024


def _kb(text: str) -> int:
    return int(text.split()[0])


def show(title: str, figures: Sequence[tuple[str, str]]) -> None:
    """Print figures under each other, with the machine."""
    print(title)
    print(f"  {'machine':<22}{machine()}")
    for name, figure in figures:
        print(f"  {name:<22}{figure}")
