"""How fast a bank's best ten are found, against scoring every candidate by the paper's equations.

    .venv/bin/python bench/scoring.py [--candidates 100000] [--data DIR] [--cache FILE]

``--data`` names a folder of data sets: their utterances, embedded by the shipped BST model, are the trained bank.
Without it the starter corpus is taken, which is small.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import torch
from machine import memory_mb
from plain import interleaved, open_project, parser, plain_scores, table
from torch import Tensor

options = parser(__doc__.splitlines()[0])
options.add_argument("--candidates", type=int, default=100_000)
options.add_argument("--rounds", type=int, default=9)
options.add_argument("--data", type=Path, help="a folder of data sets for the trained bank")
options.add_argument(
    "--cache", type=Path, help="a file to keep the trained bank in, so that it is embedded once"
)
arguments = options.parse_args()
open_project(arguments.one_thread)

from modelhub.datasets import layout  # noqa: E402
from modelhub.datasets.episodes import Episode, examples  # noqa: E402
from modelhub.datasets.errors import DatasetError  # noqa: E402
from modelhub.dialogue import Skill  # noqa: E402
from modelhub.polyencoder import bank, checkpoints, quantised  # noqa: E402
from modelhub.polyencoder.base import base_folder  # noqa: E402
from modelhub.polyencoder.packed import fast  # noqa: E402
from modelhub.polyencoder.scoring import Scorer  # noqa: E402
from modelhub.polyencoder.tokens import TextEncoder, context_lines  # noqa: E402
from modelhub.starter.install import WEIGHTS  # noqa: E402

K, CONTEXTS = 10, 8
M_MMAP_THRESHOLD = -3


def random_case() -> tuple[Tensor, Tensor]:
    """Rows in half precision and views (8, 64, 768), all of them Gaussian: no view is like another."""
    generator = torch.Generator().manual_seed(1)
    rows = torch.randn(arguments.candidates, 768, generator=generator).half()
    return rows, torch.randn(CONTEXTS, 64, 768, generator=generator)


def trained_case() -> tuple[Tensor, Tensor]:
    """Real utterances and contexts through the shipped BST model: width 384, 64 codes."""
    if arguments.cache and arguments.cache.is_file():
        kept = torch.load(arguments.cache, weights_only=True)
        return kept["rows"], kept["views"]
    network = fast(checkpoints.load(WEIGHTS / "bst", base_folder()))
    text_encoder = TextEncoder(base_folder(), network.config)
    episodes = list(all_episodes(arguments.data or layout.STARTER))
    texts = list(dict.fromkeys(turn.text for episode in episodes for turn in episode.turns))
    texts = texts[: arguments.candidates]
    rows = bank.embed(network, text_encoder, texts, [""] * len(texts)).embeddings
    dialogues = [example.dialogue for episode in episodes[-40:] for example in examples(episode)]
    lines = [context_lines(dialogue) for dialogue in dialogues[-CONTEXTS:]]
    with torch.inference_mode():
        views = network.encode_context(*text_encoder.contexts(lines))
    if arguments.cache:
        torch.save({"rows": rows, "views": views}, arguments.cache)
    return rows, views


def all_episodes(folder: Path) -> Iterator[Episode]:
    for skill in Skill:
        for split in layout.SPLITS:
            try:
                yield from layout.read(skill, split, folder)
            except DatasetError as error:
                print(f"left out: {error}")


def same_ranking(rows: Tensor, views: Tensor, scorer: Scorer) -> bool:
    """Whether the best ten are those of float64, in its order, ties by place."""
    places = scorer.top(views, K)[1]
    for context, each in enumerate(views.double()):
        scores = torch.cat([plain_scores(block, each[None])[0] for block in rows.double().split(8192)])
        if not places[context].equal(scores.argsort(descending=True, stable=True)[:K]):
            return False
    return True


def highest_mb(way: Callable[[], object]) -> float:
    """How much memory a way takes beyond what is there before it, in MB; Linux with glibc alone."""
    c = ctypes.CDLL(None)
    c.mallopt(M_MMAP_THRESHOLD, 2**16)  # what is freed goes back, and what is taken shows
    way()
    c.malloc_trim(0)
    Path("/proc/self/clear_refs").write_text("5")
    before = memory_mb(os.getpid())[0]
    way()
    return memory_mb(os.getpid())[1] - before


def scorer_without_int8(rows: Tensor) -> Scorer:
    """As on a processor whose int8 products are not exact, or slow."""
    real = quantised.exact_levels
    quantised.exact_levels = lambda *_: 0
    try:
        return Scorer(rows)
    finally:
        quantised.exact_levels = real


def measured(name: str, rows: Tensor, views: Tensor) -> Iterator[list[str]]:
    wide = rows.float()  # the plain way's bank; converting it is not timed
    scorer, without_int8 = Scorer(rows), scorer_without_int8(rows)
    same = "yes" if same_ranking(rows, views, scorer) else "NO"
    for contexts in (1, CONTEXTS):
        each = [views[[n]] for n in range(CONTEXTS)] if contexts == 1 else [views]
        turns = iter(range(10**6))

        def plain(some=each, turns=turns):
            return plain_scores(wide, some[next(turns) // 3 % len(some)]).topk(K)

        def ours(some=each, turns=turns):
            return scorer.top(some[next(turns) // 3 % len(some)], K)

        def in_float32(some=each, turns=turns):
            return without_int8.top(some[next(turns) // 3 % len(some)], K)

        ways = {"plain": plain, "float32": in_float32, "ours": ours}
        found = interleaved(ways, arguments.rounds if contexts == 1 else 3)
        memory = [highest_mb(way) for way in (plain, ours)]
        yield [
            f"{name}, {len(rows):,} x {rows.shape[1]}",
            str(contexts),
            f"{found['plain'].ms:.0f}",
            f"{found['float32'].ms:.1f}",
            f"{found['ours'].ms:.1f}",
            f"**{found['float32'].ratio:.1f}**",
            f"**{found['ours'].ratio:.1f}**",
            same,
            f"{memory[0]:.0f} / {memory[1]:.1f} MB",
        ]


table(
    f"The best {K} of a bank, 64 codes",
    [
        "bank",
        "contexts",
        "plain, ms",
        "float32 pass, ms",
        "ours, ms",
        "float32: times as fast",
        "ours",
        "ranked as float64",
        "memory, plain / ours",
    ],
    [
        row
        for name, case in (("random", random_case), ("trained", trained_case))
        for row in measured(name, *case())
    ],
)
