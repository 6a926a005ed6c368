"""How fast contexts are encoded, against the same encoder in float32 with plain attention.

    .venv/bin/python bench/encoding.py

Paper size (12 layers, width 768, 64 codes) with random weights, and the shipped base (6 layers, width 384).
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import torch
from plain import interleaved, open_project, paper_network, parser, table, with_plain_attention
from torch import Tensor

options = parser(__doc__.splitlines()[0])
options.add_argument("--rounds", type=int, default=9)
arguments = options.parse_args()
open_project(arguments.one_thread)

from modelhub.polyencoder import checkpoints  # noqa: E402
from modelhub.polyencoder.base import base_folder  # noqa: E402
from modelhub.polyencoder.network import PolyEncoder, mean_over_tokens  # noqa: E402
from modelhub.polyencoder.packed import fast  # noqa: E402
from modelhub.polyencoder.precision import serving_precision  # noqa: E402
from modelhub.starter.install import WEIGHTS  # noqa: E402

LENGTHS = (32, 128, 360)
#: A batch of a busy minute: contexts of all lengths.
MIXED = tuple(range(24, 144, 8))


def batch(lengths: tuple[int, ...], vocabulary: int) -> tuple[Tensor, Tensor]:
    """Random tokens and the mask of contexts of these lengths."""
    generator = torch.Generator().manual_seed(1)
    tokens = torch.randint(vocabulary, (len(lengths), max(lengths)), generator=generator)
    return tokens, torch.arange(max(lengths)) < torch.tensor(lengths)[:, None]


def measured(name: str, network: PolyEncoder, longest: int) -> Iterator[list[str]]:
    ways = {
        "plain": with_plain_attention(network),
        "float32": fast(network, torch.float32),
        "ours": fast(network),
    }
    lengths = [(length,) for length in LENGTHS if length <= longest] + [MIXED]
    for given in lengths:
        tokens, mask = batch(given, network.encoder.config.vocab_size)
        pooled = {
            key: mean_over_tokens(
                way.encoder(input_ids=tokens, attention_mask=mask).last_hidden_state.float(), mask
            )
            for key, way in ways.items()
        }
        cosine = torch.cosine_similarity(pooled["plain"], pooled["ours"]).min()
        found = interleaved(
            {key: partial(way.encode_context, tokens, mask) for key, way in ways.items()},
            arguments.rounds,
        )
        yield [
            name,
            str(given[0]) if len(given) == 1 else f"{len(given)} contexts of {given[0]} to {given[-1]}",
            *(f"{found[key].ms:.1f}" for key in ways),
            *(f"**{found[key].ratio:.1f}**" for key in ("float32", "ours")),
            f"{cosine:.6f}",
        ]


with torch.inference_mode():
    shipped = checkpoints.load(WEIGHTS / "bst", base_folder())
    rows = [*measured("paper size", paper_network(), 360), *measured("shipped BST", shipped, 360)]
kind = str(serving_precision(torch.device("cpu"))).removeprefix("torch.")
table(
    f"One context encoded; ours in {kind}, as this processor has it",
    [
        "encoder",
        "tokens",
        "plain, ms",
        "packed float32, ms",
        "ours, ms",
        "float32: times as fast",
        "ours",
        "cosine",
    ],
    rows,
)
