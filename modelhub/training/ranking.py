"""What a poly-encoder learns: every other label of a batch is a wrong answer (Humeau et al. 2020, section 4).

It is validated by hits@1 of 20 candidates; a tie counts as a miss.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from modelhub.benchmarks.candidates import questions
from modelhub.datasets.episodes import Example
from modelhub.polyencoder.network import PolyEncoder
from modelhub.polyencoder.tokens import TextEncoder, context_lines
from modelhub.training.objective import Figures, Progress, batches_in_order, batches_of_like_lengths
from modelhub.training.processes import Processes
from modelhub.training.tasks import Task
from modelhub.training.token_rows import TokenRows, digest, encode


@dataclass(frozen=True, slots=True, eq=False)
class Pairs:
    """N examples as tokens: each a context and the number of its label among the different ones."""

    contexts: TokenRows
    labels: TokenRows
    label_of: np.ndarray

    def digest(self) -> str:
        return " ".join([self.contexts.digest(), self.labels.digest(), digest(self.label_of)])


@dataclass(frozen=True, slots=True, eq=False)
class Asked:
    """Validation questions (Q) of one data set; ``candidates`` (Q, C) are numbers of labels, the right one first."""

    contexts: TokenRows
    labels: TokenRows
    candidates: np.ndarray

    def digest(self) -> str:
        return " ".join([self.contexts.digest(), self.labels.digest(), digest(self.candidates)])


class InBatchLoss(nn.Module):
    """Cross-entropy of the right label among those of the whole batch."""

    def __init__(self, network: PolyEncoder, processes: Processes) -> None:
        super().__init__()
        self.network = network
        self._processes = processes

    def forward(
        self, contexts: Tensor, context_mask: Tensor, labels: Tensor, label_mask: Tensor, kinds: Tensor
    ) -> Tensor:
        """Tokens and masks (B, T), and numbers (B,) that are equal where labels are: the mean over B, in nats."""
        with self._processes.autocast():
            views = self.network.encode_context(contexts, context_mask)
            rows = self.network.encode_candidates(labels, label_mask)
        scores = self.network.score(views, self._processes.gathered(rows.float()))
        right = torch.arange(len(kinds), device=kinds.device) + self._processes.rank * len(kinds)
        # Another example's equal label is no wrong answer.
        twins = kinds[:, None] == self._processes.gathered(kinds)[None]
        twins[torch.arange(len(kinds)), right] = False
        return functional.cross_entropy(scores.masked_fill(twins, -math.inf), right)


class Ranking:
    """The objective of poly-encoders. Raises TooFewLabels where a data set is too small to draw candidates from."""

    measure = "hits_at_1"

    def __init__(
        self,
        network: PolyEncoder,
        text_encoder: TextEncoder,
        tasks: Sequence[Task],
        processes: Processes,
        *,
        batch: int,
        seed: int,
        fresh: tuple[str, ...],
        progress: Progress,
        equal_tasks: bool = True,
    ) -> None:
        self.network = network
        self.loss = InBatchLoss(network, processes)
        self.fresh = fresh
        self._processes = processes
        self._batch = batch
        self._seed = seed
        self._equal_tasks = equal_tasks
        self.sizes = {
            "train": {task.skill.value: len(task.train) for task in tasks},
            "valid": {task.skill.value: len(task.valid) for task in tasks},
        }
        examples = [example for task in tasks for example in task.train]
        self._pairs = _pairs(examples, text_encoder, progress)
        self._asked = {task.skill.value: _asked(task.valid, text_encoder, seed) for task in tasks}
        self.digest = " ".join([self._pairs.digest(), *(asked.digest() for asked in self._asked.values())])

    def batches(self, epoch: int) -> list[np.ndarray]:
        lengths = self._pairs.contexts.lengths
        rng = np.random.default_rng([self._seed, epoch])
        sizes = [*self.sizes["train"].values()]
        places = as_many_of_each(sizes, rng) if self._equal_tasks else np.arange(len(lengths))
        return batches_of_like_lengths(places, lengths[places], self._batch, rng)

    def inputs(self, places: np.ndarray) -> tuple[Tensor, ...]:
        kinds = self._pairs.label_of[places]
        given = (
            *self._pairs.contexts.padded(places),
            *self._pairs.labels.padded(kinds),
            torch.from_numpy(kinds),
        )
        return tuple(tensor.to(self._processes.device, non_blocking=True) for tensor in given)

    @torch.inference_mode()
    def validate(self, progress: Progress) -> Figures:
        shares: dict[str, float] = {}
        losses: list[float] = []
        for skill, asked in self._asked.items():
            hits, loss = self._answered(asked, lambda *done, of=skill: progress(f"validation, {of}", *done))
            shares[skill] = hits / len(asked.candidates)
            losses.append(loss / len(asked.candidates))
        return Figures(sum(losses) / len(losses), shares)

    def _answered(self, asked: Asked, progress: Callable[[int, int], None]) -> list[float]:
        """Right answers and the sum of losses. Processes share the questions out; all encode all labels."""
        rows = self._embedded(asked.labels)
        hits, loss, done = 0.0, 0.0, 0
        batches = batches_in_order(asked.contexts.lengths, self._processes.validation_tokens)
        for batch in batches[self._processes.rank :: self._processes.count]:
            tokens, mask = asked.contexts.padded(batch)
            with self._processes.autocast():
                views = self.network.encode_context(tokens.to(self._device), mask.to(self._device))
            candidates = torch.from_numpy(asked.candidates[batch]).to(self._device)
            scores = self.network.score(views, rows[candidates])
            hits += float((scores[:, 0] > scores[:, 1:].amax(1)).sum())
            loss += float(
                functional.cross_entropy(scores, torch.zeros_like(candidates[:, 0]), reduction="sum")
            )
            done += len(batch) * self._processes.count
            progress(min(done, len(asked.candidates)), len(asked.candidates))
        return self._processes.total([hits, loss])

    def _embedded(self, labels: TokenRows) -> Tensor:
        """(labels, D) in float32."""
        found: list[Tensor] = []
        order = batches_in_order(labels.lengths, self._processes.validation_tokens)
        for batch in order:
            tokens, mask = labels.padded(batch)
            with self._processes.autocast():
                rows = self.network.encode_candidates(tokens.to(self._device), mask.to(self._device))
            found.append(rows.float())
        place = torch.from_numpy(np.argsort(np.concatenate(order)))
        return torch.cat(found)[place.to(self._device)]

    @property
    def _device(self) -> torch.device:
        return self._processes.device


def as_many_of_each(sizes: Sequence[int], rng: np.random.Generator) -> np.ndarray:
    """Places of data sets that stand one after the other: of each as many as they have in the mean.

    A smaller one comes whole as often as it fits in, and a random part of it besides; of a larger one comes a random
    part. ParlAI draws several tasks equally too, which is how Smith et al. (2020) trained.
    """
    wanted = sum(sizes) // len(sizes)
    drawn = []
    for start, size in zip(np.cumsum([0, *sizes]), sizes, strict=False):
        whole, rest = divmod(wanted, size)
        part = rng.permutation(size)[:rest] if rest else np.arange(0)
        drawn.append(start + np.concatenate([np.tile(np.arange(size), whole), part]))
    return np.concatenate(drawn)


def _pairs(examples: Sequence[Example], text_encoder: TextEncoder, progress: Progress) -> Pairs:
    numbers, label_of = _numbered(example.label for example in examples)
    contexts = _contexts(examples, text_encoder, lambda done: progress("tokens", done, len(examples)))
    return Pairs(contexts, encode(numbers, text_encoder.candidates), label_of)


def _asked(examples: Sequence[Example], text_encoder: TextEncoder, seed: int) -> Asked:
    given = questions(examples, seed)
    numbers, candidates = _numbered(text for question in given for text in question.candidates)
    contexts = _contexts([question.example for question in given], text_encoder)
    return Asked(contexts, encode(numbers, text_encoder.candidates), candidates.reshape(len(given), -1))


def _contexts(
    examples: Sequence[Example], text_encoder: TextEncoder, progress: Callable[[int], None] | None = None
) -> TokenRows:
    texts = ("\n".join(context_lines(example.dialogue)) for example in examples)
    return encode(texts, lambda chunk: text_encoder.contexts([[text] for text in chunk]), progress)


def _numbered(texts: Iterable[str]) -> tuple[dict[str, int], np.ndarray]:
    """Different texts with their numbers in order of appearance, and each text's number (int64)."""
    numbers: dict[str, int] = {}
    found = [numbers.setdefault(text, len(numbers)) for text in texts]
    return numbers, np.array(found, dtype=np.int64)
