"""What the fast ways are measured against: the paper's equations in float32, on all threads, as they stand."""

from __future__ import annotations

import argparse
import copy
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

PROJECT = Path(__file__).resolve().parent.parent
#: The paper's encoder: 12 layers of width 768.
PAPER_SIZE = {
    "hidden_size": 768,
    "num_hidden_layers": 12,
    "num_attention_heads": 12,
    "intermediate_size": 3072,
}


class Clock:
    """Seconds: on the wall, or of one thread's work on a machine that others use too."""

    def __init__(self) -> None:
        self.now: Callable[[], float] = time.perf_counter

    def count_one_thread(self) -> None:
        torch.set_num_threads(1)
        self.now = time.process_time


clock = Clock()


def parser(about: str) -> argparse.ArgumentParser:
    """What all these benches can be told."""
    options = argparse.ArgumentParser(description=about)
    options.add_argument(
        "--one-thread", action="store_true", help="processor time of one thread, not the clock's"
    )
    return options


def open_project(one_thread: bool = False) -> None:
    """Set Django up, on a data folder of its own unless one is named, and let our packages be imported."""
    if one_thread:
        clock.count_one_thread()
    sys.path.insert(0, str(PROJECT))
    os.environ.setdefault("COLLOQUY_DATA", tempfile.mkdtemp(prefix="colloquy-bench-"))
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "evalsite.settings")
    import django

    django.setup()
    # Far candidates get weights that are no normal float32; processors take a hundred times as long for these, which
    # would flatter whoever does not form them.
    torch.set_flush_denormal(True)


def plain_scores(rows: Tensor, views: Tensor) -> Tensor:
    """Rows (N, D), views (B, M, D) -> (B, N): attend, form the attended vectors, multiply (Humeau et al. 2020, 4.4)."""
    logits = rows @ views.transpose(1, 2)  # (B, N, M)
    attended = logits.softmax(-1) @ views  # (B, N, D)
    return (attended * rows).sum(-1)


def paper_network(codes: int = 64):
    """A poly-encoder of the paper's size with random weights."""
    from transformers import BertConfig, BertModel

    from modelhub.polyencoder.config import PolyEncoderConfig
    from modelhub.polyencoder.network import PolyEncoder

    torch.manual_seed(1)
    shape = BertConfig(vocab_size=54_944, **PAPER_SIZE)
    shape._attn_implementation = "sdpa"
    encoder = BertModel(shape, add_pooling_layer=False)
    return PolyEncoder(PolyEncoderConfig(codes=codes, text_truncate=360), encoder).eval()


def with_plain_attention(network):
    """The same network whose attention multiplies, takes the softmax, and multiplies."""
    made = copy.copy(network)
    made._modules = dict(network._modules)
    shape = copy.deepcopy(network.encoder.config)
    shape._attn_implementation = "eager"
    with torch.device("meta"):
        made.encoder = type(network.encoder)(shape, add_pooling_layer=False).eval()
    made.encoder.load_state_dict(network.encoder.state_dict(), assign=True)
    made.encoder.embeddings = network.encoder.embeddings
    return made


@dataclass(frozen=True, slots=True)
class Timed:
    """Median milliseconds of a way, and the median over rounds of how many times as fast as the first way it was."""

    ms: float
    ratio: float


def interleaved(ways: Mapping[str, Callable[[], object]], rounds: int) -> dict[str, Timed]:
    """Each way once a round, in turn, after a round that does not count; the first is what others are compared to."""
    times: dict[str, list[float]] = {name: [] for name in ways}
    with torch.inference_mode():
        for number in range(rounds + 1):
            for name, way in ways.items():
                begun = clock.now()
                way()
                if number:
                    times[name].append((clock.now() - begun) * 1000)
    first = next(iter(times.values()))
    return {
        name: Timed(statistics.median(ms), statistics.median(a / b for a, b in zip(first, ms, strict=True)))
        for name, ms in times.items()
    }


def table(title: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print a table as Markdown, with the machine."""
    from machine import machine

    print(f"\n{title}\n{machine()}; torch {torch.__version__}, {torch.get_num_threads()} threads\n")
    print("| " + " | ".join(columns) + " |")
    print("|" + "---|" * len(columns))
    for row in rows:
        print("| " + " | ".join(str(cell) for cell in row) + " |")
