"""The layers that are not trained, run once: their output is the same in every epoch.

Training one layer of six costs a sixth then, at the price of keeping the hidden states below it in memory
(half precision: 2 bytes x tokens x width).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

import torch
from torch import Tensor
from transformers import BertModel

#: Tokens in one batch of the frozen layers, padding included.
BATCH_TOKENS = 4096

Tokenize = Callable[[Sequence[str]], tuple[Tensor, Tensor]]


def first_trained_layer(trained: Sequence[str], layers: int) -> int:
    """The lowest layer that one of these prefixes of tensor names trains; ``layers`` when none does."""
    found = layers
    for prefix in trained:
        if match := re.match(r"encoder\.encoder\.layer\.(\d+)\.", prefix):
            found = min(found, int(match[1]))
        elif prefix.startswith("encoder.") or "encoder.".startswith(prefix):
            return 0
    return found


class SplitEncoder:
    """A BERT cut below its trained layers. The embeddings always belong to the frozen part."""

    def __init__(self, encoder: BertModel, first: int) -> None:
        self._encoder = encoder
        self._first = first

    @torch.no_grad()
    def below(
        self, texts: Sequence[str], tokenize: Tokenize, progress: Callable[[int], None]
    ) -> dict[str, Tensor]:
        """Each text's hidden states (T, D) below the trained layers, in half precision.

        ``progress`` is told after each batch how many texts are done.
        """
        was_training = self._encoder.training
        self._encoder.eval()
        found: dict[str, Tensor] = {}
        for batch in _batches(texts):
            tokens, mask = tokenize(batch)
            hidden = self._encoder.embeddings(input_ids=tokens)
            hidden = self._run(hidden, mask, 0, self._first).to(torch.float16)
            found.update(
                (text, row[kept].clone()) for text, row, kept in zip(batch, hidden, mask, strict=True)
            )
            progress(len(found))
        self._encoder.train(was_training)
        return found

    def above(self, rows: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
        """Hidden states from ``below`` -> the encoder's output (B, T, D) in float32 and the mask (B, T)."""
        lengths = torch.tensor([len(row) for row in rows])
        mask = torch.arange(int(lengths.max()))[None] < lengths[:, None]
        hidden = torch.nn.utils.rnn.pad_sequence(list(rows), batch_first=True).float()
        return self._run(hidden, mask, self._first, len(self._encoder.encoder.layer)), mask

    def _run(self, hidden: Tensor, mask: Tensor, start: int, end: int) -> Tensor:
        for layer in self._encoder.encoder.layer[start:end]:
            hidden = layer(hidden, attention_mask=mask[:, None, None, :])
        return hidden


def _batches(texts: Sequence[str]) -> Iterator[list[str]]:
    """Different texts in order of length, about BATCH_TOKENS tokens (of four characters) together."""
    batch: list[str] = []
    for text in sorted(set(texts), key=lambda text: (len(text), text)):
        if batch and len(text) * (len(batch) + 1) > BATCH_TOKENS * 4:
            yield batch
            batch = []
        batch.append(text)
    if batch:
        yield batch
