"""hits@1: how often a model ranks what a person really said above the other candidates."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from modelhub.benchmarks.candidates import Question
from modelhub.polyencoder.network import PolyEncoder
from modelhub.polyencoder.tokens import TextEncoder, context_lines

BATCH = 32
#: Scores a batch of questions: (B, C), the label's score first.
Scorer = Callable[[Sequence[Question]], Tensor]


@dataclass(frozen=True, slots=True)
class Hit:
    """Whether the label came first; ``episode`` names the dialogue, the unit of resampling."""

    episode: str
    hit: bool


def hits_at_1(score: Scorer, questions: Sequence[Question]) -> list[Hit]:
    """One Hit a question, in their order. A tie with another candidate is a miss."""
    found: list[Hit] = []
    for start in range(0, len(questions), BATCH):
        batch = questions[start : start + BATCH]
        scores = score(batch)
        best_other = scores[:, 1:].max(dim=1).values
        found.extend(
            Hit(question.example.episode, bool(hit))
            for question, hit in zip(batch, (scores[:, 0] > best_other).tolist(), strict=True)
        )
    return found


def share(hits: Sequence[Hit]) -> float:
    """hits@1 as a share from 0 to 1."""
    return sum(hit.hit for hit in hits) / len(hits)


def scorer(network: PolyEncoder, text_encoder: TextEncoder) -> Scorer:
    """A poly-encoder's scores of questions; each context and each candidate is encoded once."""
    views: dict[str, Tensor] = {}
    rows: dict[str, Tensor] = {}

    def encode(contexts: Sequence[str], candidates: Sequence[str]) -> None:
        for texts in _batches(contexts, views):
            encoded = network.encode_context(*text_encoder.contexts([[text] for text in texts]))
            views.update(zip(texts, encoded, strict=True))
        for texts in _batches(candidates, rows):
            rows.update(zip(texts, network.encode_candidates(*text_encoder.candidates(texts)), strict=True))

    @torch.inference_mode()
    def score(batch: Sequence[Question]) -> Tensor:
        contexts = ["\n".join(context_lines(question.example.dialogue)) for question in batch]
        encode(contexts, [text for question in batch for text in question.candidates])
        candidates = [torch.stack([rows[text] for text in question.candidates]) for question in batch]
        return network.score(torch.stack([views[text] for text in contexts]), torch.stack(candidates))

    return score


def _batches(texts: Sequence[str], known: Container[str]) -> Iterator[list[str]]:
    """Those that are not known yet, in order of length."""
    new = sorted({text for text in texts if text not in known}, key=lambda text: (len(text), text))
    yield from (new[start : start + BATCH] for start in range(0, len(new), BATCH))
