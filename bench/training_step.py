"""How fast a training step is, against the same step in float32 on batches as they come.

    .venv/bin/python bench/training_step.py [--data DIR]

An untrained BERT (4 layers, width 256, the base's vocabulary) learns ConvAI2: separate encoders, contexts of up to 360
tokens, dropout .1, Adamax, gradients clipped. Both ways learn the same examples; a step of ours is as ``manage.py train
--scale paper`` makes it.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from plain import clock, open_project, parser, table
from torch import nn

options = parser(__doc__.splitlines()[0])
options.add_argument("--data", type=Path, help="a folder of data sets (default: the starter corpus)")
options.add_argument("--batch", type=int, default=64)
options.add_argument("--steps", type=int, default=6, help="that are measured, each of both ways in turn")
arguments = options.parse_args()
open_project(arguments.one_thread)

from transformers import BertConfig, BertModel  # noqa: E402

from modelhub.datasets import layout  # noqa: E402
from modelhub.polyencoder.base import base_folder  # noqa: E402
from modelhub.polyencoder.config import PolyEncoderConfig  # noqa: E402
from modelhub.polyencoder.network import PolyEncoder  # noqa: E402
from modelhub.polyencoder.tokens import TextEncoder  # noqa: E402
from modelhub.training.processes import Processes  # noqa: E402
from modelhub.training.ranking import Ranking  # noqa: E402
from modelhub.training.recipes import RECIPES  # noqa: E402
from modelhub.training.tasks import tasks  # noqa: E402

SIZE = {"hidden_size": 256, "num_hidden_layers": 4, "num_attention_heads": 4, "intermediate_size": 1024}
CLIP = 0.1


def objective(attention: str, precision: str) -> Ranking:
    torch.manual_seed(1)
    config = PolyEncoderConfig(text_truncate=360, shared_encoder=False)
    text_encoder = TextEncoder(base_folder(), config)
    shape = BertConfig(vocab_size=text_encoder.vocabulary_size, **SIZE)
    shape._attn_implementation = attention
    network = PolyEncoder(config, *(BertModel(shape, add_pooling_layer=False) for _ in range(2))).train()
    learnt = tasks(RECIPES["convai2"], arguments.data or layout.STARTER, 1, official=True, most=4000)
    return Ranking(
        network,
        text_encoder,
        learnt,
        Processes(precision),
        batch=arguments.batch,
        seed=1,
        fresh=("codes",),
        progress=lambda *_: None,
    )


def stepper(learning: Ranking) -> Callable[[np.ndarray], None]:
    optimizer = torch.optim.Adamax(learning.network.parameters(), lr=5e-5)

    def step(places: np.ndarray) -> None:
        loss = learning.loss(*learning.inputs(places))
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(learning.network.parameters(), CLIP)
        optimizer.step()

    return step


def of_all_lengths(learning: Ranking, count: int) -> list[np.ndarray]:
    """Some of an epoch's batches of like lengths, evenly from the shortest to the longest."""
    batches = sorted(learning.batches(1), key=lambda places: learning._pairs.contexts.lengths[places].mean())
    chosen = np.linspace(0, len(batches) - 1, count + 2).round().astype(int)[1:-1]
    return [batches[number] for number in chosen]


def seconds_an_example(step: Callable[[np.ndarray], None], places: np.ndarray) -> float:
    begun = clock.now()
    step(places)
    return (clock.now() - begun) / len(places)


def main() -> None:
    plain, ours = objective("eager", "float32"), objective("sdpa", "auto")
    size, steps = arguments.batch, arguments.steps
    order = np.random.default_rng(1).permutation(ours.sizes["train"]["convai2"])
    mixed, alike = list(order[: size * steps].reshape(steps, size)), of_all_lengths(ours, steps)
    ways = {
        "plain: float32, batches as they come": (stepper(plain), mixed),
        "float32, batches of like lengths": (stepper(plain), alike),
        "ours": (stepper(ours), alike),
    }
    for step, batches in ways.values():
        step(batches[0])
    taken: dict[str, list[float]] = {name: [] for name in ways}
    for number in range(steps):
        for name, (step, batches) in ways.items():
            taken[name].append(seconds_an_example(step, batches[number]))
    means = {name: statistics.mean(each) for name, each in taken.items()}
    first, kind = next(iter(means.values())), "bfloat16" if Processes("auto").bfloat16 else "float32"
    table(
        f"A training step of {size} examples; ours in {kind}, as this processor has it",
        ["way", "examples/s", "times as fast"],
        [[name, f"{1 / each:.1f}", f"**{first / each:.1f}**"] for name, each in means.items()],
    )


main()
