"""Scores of candidates that come with each context instead of from a bank: what benchmarks ask for.

Every distinct text is encoded once, beside texts of exactly its length in tokens. Nothing is padded then, so that
networks whose results padding changes (as some of ParlAI's do) give what they give alone. Texts of the same tokens
share one encoding: where they differ in case alone, their scores are equal to the last bit.
"""

from __future__ import annotations

import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, TypeVar

import numpy as np
import torch
from torch import Tensor

from modelhub.polyencoder.ranker import Ranker, Texts
from modelhub.progress import Progress

#: Texts made tokens at once: they are padded to their longest while they are.
TOKENIZED_AT_ONCE = 512
#: Candidates' rows gathered for one scoring: bounds its memory (8192 x 768 in float32 is 24 MiB).
SCORED_AT_ONCE = 8192
#: Embeddings larger than this, in bytes, lie in an unlinked file that is mapped into memory.
IN_MEMORY_BYTES = 1 << 29

Text = TypeVar("Text")
Encode = Callable[[Sequence[Text]], tuple[Tensor, Tensor]]


@dataclass(frozen=True, slots=True)
class _Distinct:
    """Different rows of tokens, and for each text the place of its row."""

    rows: list[Tensor]
    places: list[int]

    def batches(self, size: int) -> Iterator[list[int]]:
        """Places of rows of one length, at most ``size`` together, the shortest first."""
        by_length = sorted(range(len(self.rows)), key=lambda place: len(self.rows[place]))
        for _, group in groupby(by_length, key=lambda place: len(self.rows[place])):
            same = list(group)
            yield from (same[start : start + size] for start in range(0, len(same), size))


@torch.inference_mode()
def score_given(
    network: Ranker,
    texts: Texts,
    contexts: Sequence[Sequence[str]],
    candidates: Sequence[Sequence[str]],
    *,
    batch: int,
    progress: Progress | None = None,
) -> list[list[float]]:
    """Each context's candidates' scores, in their order; contexts are lists of lines.

    ``network`` is in evaluation mode. At most ``batch`` texts are encoded at once; 1 encodes each
    as it is alone. Memory grows with the number of distinct candidates alone: views of contexts live as long as
    their batch.
    """
    tell = progress or (lambda what, done, total: None)
    flat = list(dict.fromkeys(text for listed in candidates for text in listed))
    distinct = _distinct(texts.candidates, flat)
    row_of = dict(zip(flat, distinct.places, strict=True))
    embedded = _embed(network, distinct, batch, tell)
    chosen = [torch.tensor([row_of[text] for text in listed], dtype=torch.long) for listed in candidates]
    return _score(network, _distinct(texts.contexts, contexts), embedded, chosen, batch, tell)


def _distinct(encode: Encode[Text], texts: Sequence[Text]) -> _Distinct:
    seen: dict[bytes, int] = {}
    rows: list[Tensor] = []
    places: list[int] = []
    for start in range(0, len(texts), TOKENIZED_AT_ONCE):
        tokens, mask = encode(texts[start : start + TOKENIZED_AT_ONCE])
        for padded, kept in zip(tokens, mask, strict=True):
            row = padded[kept.bool()]
            place = seen.setdefault(row.numpy().tobytes(), len(rows))
            if place == len(rows):
                rows.append(row)
            places.append(place)
    return _Distinct(rows, places)


def _embed(network: Ranker, distinct: _Distinct, batch: int, tell: Progress) -> Tensor:
    """(distinct candidates, D) in float32 on the CPU."""
    rows: Tensor | None = None
    done = 0
    for places in distinct.batches(batch):
        encoded = network.encode_candidates(*_together(network, distinct, places)).float().cpu()
        if rows is None:
            rows = _room(len(distinct.rows), encoded.shape[1])
        rows[places] = encoded
        done += len(places)
        tell("candidates", done, len(distinct.rows))
    return rows if rows is not None else torch.empty(0, 0)


def _room(count: int, width: int) -> Tensor:
    if count * width * 4 <= IN_MEMORY_BYTES:
        return torch.empty(count, width)
    with tempfile.TemporaryFile() as file:
        return torch.from_numpy(np.memmap(file, dtype=np.float32, mode="w+", shape=(count, width)))


def _score(
    network: Ranker,
    contexts: _Distinct,
    embedded: Tensor,
    chosen: Sequence[Tensor],
    batch: int,
    tell: Progress,
) -> list[list[float]]:
    asking: dict[int, list[int]] = defaultdict(list)
    for question, place in enumerate(contexts.places):
        asking[place].append(question)
    found: list[list[float]] = [[] for _ in chosen]
    done = 0
    for places in contexts.batches(batch):
        views = network.encode_context(*_together(network, contexts, places))
        asked = [(at, question) for at, place in enumerate(places) for question in asking[place]]
        for part in _parts(asked, chosen):
            for (_, question), row in zip(part, _scored(network, views, embedded, part, chosen), strict=True):
                found[question] = row[: len(chosen[question])].tolist()
        done += len(asked)
        tell("examples", done, len(chosen))
    return found


def _parts(asked: Sequence[tuple[int, int]], chosen: Sequence[Tensor]) -> Iterator[list[tuple[int, int]]]:
    """Questions that are scored together: not more rows than SCORED_AT_ONCE, but for one question alone."""
    part: list[tuple[int, int]] = []
    most = 0
    for each in asked:
        most = max(most, len(chosen[each[1]]))
        if part and most * (len(part) + 1) > SCORED_AT_ONCE:
            yield part
            part, most = [], len(chosen[each[1]])
        part.append(each)
    if part:
        yield part


def _scored(
    network: Ranker,
    views: Any,
    embedded: Tensor,
    part: Sequence[tuple[int, int]],
    chosen: Sequence[Tensor],
) -> Tensor:
    """(questions, most candidates) on the CPU; places beyond a question's own candidates mean nothing."""
    rows = torch.nn.utils.rnn.pad_sequence([chosen[question] for _, question in part], batch_first=True)
    at = torch.tensor([at for at, _ in part], device=network.device)
    return network.score(views[at], embedded[rows].to(network.device)).float().cpu()


def _together(network: Ranker, distinct: _Distinct, places: Sequence[int]) -> tuple[Tensor, Tensor]:
    tokens = torch.stack([distinct.rows[place] for place in places]).to(network.device)
    return tokens, torch.ones_like(tokens, dtype=torch.bool)
