"""A bank from end to end: embedding it, a whole turn with it, and the memory that it takes.

    .venv/bin/python bench/bank.py [embed] [turn] [memory] [--data DIR]

All at the paper's size with random weights, so that only times and sizes mean something.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from random import Random

import torch
from machine import memory_mb
from plain import interleaved, open_project, paper_network, parser, plain_scores, table, with_plain_attention
from torch.nn import functional

PARTS = ("embed", "turn", "memory")
options = parser(__doc__.splitlines()[0])
options.add_argument("parts", nargs="*", choices=[*PARTS, []], help="which to measure (default: all)")
options.add_argument("--candidates", type=int, default=100_000, help="of the turn's bank")
options.add_argument("--large", type=int, default=350_000, help="of the bank whose memory is measured")
options.add_argument("--utterances", type=int, default=256, help="that are embedded")
options.add_argument("--data", type=Path, help="a folder of data sets to embed utterances of")
options.add_argument("--rounds", type=int, default=5)
options.add_argument("--serve", type=Path, help=argparse.SUPPRESS)
arguments = options.parse_args()
open_project(arguments.one_thread)

from modelhub.agents.retrieval import RetrievalAgent  # noqa: E402
from modelhub.datasets import layout  # noqa: E402
from modelhub.dialogue import Context, Dialogue, Skill, Speaker, Utterance  # noqa: E402
from modelhub.polyencoder import bank, checkpoints  # noqa: E402
from modelhub.polyencoder.bank import Bank  # noqa: E402
from modelhub.polyencoder.base import base_folder  # noqa: E402
from modelhub.polyencoder.packed import fast  # noqa: E402
from modelhub.polyencoder.scoring import scorer_of  # noqa: E402
from modelhub.polyencoder.tokens import TextEncoder, context_lines  # noqa: E402


def embed() -> None:
    """Utterances drawn from a whole bank. The plain way pads that bank to its longest, and so these."""
    network = paper_network()
    plain, text_encoder = with_plain_attention(network), TextEncoder(base_folder(), network.config)
    episodes = layout.read(Skill.ED, "train", arguments.data or layout.STARTER)
    whole = list(dict.fromkeys(turn.text for episode in episodes for turn in episode.turns))
    texts = Random(1).sample(whole, arguments.utterances)
    longest = max(text_encoder.lengths(whole))
    tokens, mask = (
        functional.pad(given, (0, longest - given.shape[1])) for given in text_encoder.candidates(texts)
    )

    def one_after_another() -> None:
        for start in range(0, len(texts), 32):
            plain.encode_candidates(tokens[start : start + 32], mask[start : start + 32])

    ways = {
        "plain": one_after_another,
        "ours": lambda: bank.embed(network, text_encoder, texts, [""] * len(texts)),
    }
    found = interleaved(ways, 2)
    lengths = mask.sum(1)
    with torch.inference_mode():
        expected = plain.encode_candidates(tokens[:64], mask[:64])
    made = bank.embed(network, text_encoder, texts[:64], [""] * 64).embeddings.float()
    table(
        f"Embedding {len(texts)} of {len(whole):,} utterances, {lengths.float().mean():.1f} tokens each; "
        f"the longest has {longest}",
        ["way", "utterances/s", "times as fast", "cosine"],
        [
            ["plain", f"{len(texts) / found['plain'].ms * 1000:.1f}", "1", ""],
            [
                "ours",
                f"{len(texts) / found['ours'].ms * 1000:.1f}",
                f"**{found['ours'].ratio:.1f}**",
                f"{torch.cosine_similarity(made, expected).min():.6f}",
            ],
        ],
    )


def turn() -> None:
    """From a dialogue to a reply: tokens, views, scores, the best candidate that was not said."""
    network, count = paper_network(), arguments.candidates
    plain = with_plain_attention(network)
    rows = torch.randn(count, 768, generator=torch.Generator().manual_seed(1)).half()
    made, wide = Bank(tuple(f"candidate {n}" for n in range(count)), ("",) * count, rows), rows.float()
    said = tuple(Utterance(Speaker.WORKER, "tell me more about it, please " * 4) for _ in range(20))
    asked, figures = Dialogue(Context(), said, "bench"), []
    for tokens in (128, 360):
        text_encoder = TextEncoder(base_folder(), replace(network.config, text_truncate=tokens))
        agent = RetrievalAgent(fast(network), text_encoder, made)

        def plainly(text_encoder=text_encoder) -> str:
            views = plain.encode_context(*text_encoder.context(context_lines(asked)))
            return made.texts[int(plain_scores(wide, views)[0].argmax())]

        with torch.inference_mode():
            same = "yes" if plainly() == agent.reply([asked])[0].text else "NO"
        found = interleaved(
            {"plain": plainly, "ours": lambda agent=agent: agent.reply([asked])}, arguments.rounds
        )
        times = [f"{found['plain'].ms:.0f}", f"{found['ours'].ms:.0f}", f"**{found['ours'].ratio:.1f}**"]
        figures.append([str(tokens), *times, same])
    table(
        f"One whole turn, {count:,} candidates of width 768",
        ["tokens", "plain, ms", "ours, ms", "times as fast", "same reply"],
        figures,
    )


def memory() -> None:
    """A process of its own serves a bank from disk; the highest resident memory after each step."""
    with tempfile.TemporaryDirectory(prefix="colloquy-bench-") as name:
        folder = Path(name)
        checkpoints.write_tensors(folder / checkpoints.WEIGHTS, {"nothing": torch.zeros(1)})
        texts = tuple(
            f"candidate number {n} has about as many words as people say" for n in range(arguments.large)
        )
        rows = torch.randn(arguments.large, 768).half()
        Bank(texts, ("convai2",) * len(texts), rows).save(folder)
        bytes_on_disk = (folder / bank.EMBEDDINGS).stat().st_size
        del rows, texts
        command = [sys.executable, __file__, "--serve", name]
        told = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    steps = json.loads(told.splitlines()[-1])
    table(
        f"A process that serves {arguments.large:,} candidates of width 768 ({bytes_on_disk / 1e6:.0f} MB on disk)",
        ["after", "resident, MB", "highest so far, MB"],
        [[step, f"{now:.0f}", f"{highest:.0f}"] for step, now, highest in steps],
    )


def serve(folder: Path) -> None:
    """The other process: load as a worker does, answer 200 contexts, then whole turns."""
    steps: list[tuple[str, float, float]] = []

    def note(step: str) -> None:
        steps.append((step, *memory_mb(os.getpid())))

    note("Python, torch and the project imported")
    network = fast(paper_network())
    note("encoder of the paper's size made")
    loaded = bank.load(folder)
    note("texts read, embeddings mapped")
    scorer = scorer_of(loaded)
    note("low-precision copy made")
    generator = torch.Generator().manual_seed(1)
    for _ in range(100):
        scorer.top(torch.randn(2, 64, 768, generator=generator), 10)
    note("200 contexts answered")
    agent = RetrievalAgent(network, TextEncoder(base_folder(), network.config), loaded)
    for words in range(1, 100, 5):
        agent.reply([Dialogue(Context(), (Utterance(Speaker.WORKER, "and then " * words),), "bench")])
    note("20 whole turns")
    print(json.dumps(steps))


if arguments.serve:
    serve(arguments.serve)
else:
    for part in arguments.parts or PARTS:
        {"embed": embed, "turn": turn, "memory": memory}[part]()
