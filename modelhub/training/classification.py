"""What the dialogue manager learns at the paper's scale, its encoder too: which data set a text is from."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from modelhub.polyencoder.manager import SkillClassifier
from modelhub.polyencoder.tokens import TextEncoder
from modelhub.training.dialogue_manager import Sample
from modelhub.training.objective import Figures, Progress, batches_in_order, batches_of_like_lengths
from modelhub.training.processes import Processes
from modelhub.training.token_rows import TokenRows, digest, encode


class ClassLoss(nn.Module):
    """Cross-entropy of the right class."""

    def __init__(self, network: SkillClassifier, processes: Processes) -> None:
        super().__init__()
        self.network = network
        self._processes = processes

    def forward(self, tokens: Tensor, mask: Tensor, labels: Tensor) -> Tensor:
        """Tokens and mask (B, T), classes (B,): the mean over B, in nats."""
        with self._processes.autocast():
            embedded = self.network.embed(tokens, mask)
        return functional.cross_entropy(self.network.classify(embedded.float()), labels)


class Classification:
    """The objective of the dialogue manager; smaller classes are filled up by drawing with replacement."""

    measure = "accuracy"
    fresh: tuple[str, ...] = ("head.",)

    def __init__(
        self,
        network: SkillClassifier,
        text_encoder: TextEncoder,
        train: Sequence[Sample],
        valid: Sequence[Sample],
        processes: Processes,
        *,
        batch: int,
        seed: int,
        progress: Progress,
    ) -> None:
        self.network = network
        self.loss = ClassLoss(network, processes)
        self._processes = processes
        self._batch = batch
        self._seed = seed
        self._texts, self._labels = _encoded(train, text_encoder, progress)
        self._asked, self._right = _encoded(valid, text_encoder, progress)
        self.sizes = {"train": self._counts(self._labels), "valid": self._counts(self._right)}
        self.digest = " ".join(
            [self._texts.digest(), self._asked.digest(), digest(self._labels, self._right)]
        )

    def batches(self, epoch: int) -> list[np.ndarray]:
        rng = np.random.default_rng([self._seed, epoch])
        most = max(self.sizes["train"].values())
        places = np.concatenate(
            [
                part
                for label in range(len(self.network.config.classes))
                for own in [np.flatnonzero(self._labels == label)]
                for part in (own, rng.choice(own, most - len(own)))
            ]
        )
        return batches_of_like_lengths(places, self._texts.lengths[places], self._batch, rng)

    def inputs(self, places: np.ndarray) -> tuple[Tensor, ...]:
        given = (*self._texts.padded(places), torch.from_numpy(self._labels[places]))
        return tuple(tensor.to(self._processes.device, non_blocking=True) for tensor in given)

    @torch.inference_mode()
    def validate(self, progress: Progress) -> Figures:
        classes = self.network.config.classes
        right, loss, done = [0.0] * len(classes), 0.0, 0
        batches = batches_in_order(self._asked.lengths, self._processes.validation_tokens)
        for batch in batches[self._processes.rank :: self._processes.count]:
            tokens, mask = (tensor.to(self._processes.device) for tensor in self._asked.padded(batch))
            labels = torch.from_numpy(self._right[batch]).to(self._processes.device)
            with self._processes.autocast():
                embedded = self.network.embed(tokens, mask)
            logits = self.network.classify(embedded.float())
            loss += float(functional.cross_entropy(logits, labels, reduction="sum"))
            for label in labels[logits.argmax(1) == labels].tolist():
                right[label] += 1
            done += len(batch) * self._processes.count
            progress("validation", min(done, len(self._right)), len(self._right))
        *right, loss = self._processes.total([*right, loss])
        counts = self.sizes["valid"]
        shares = {name: count / counts[name] for name, count in zip(classes, right, strict=True)}
        return Figures(loss / len(self._right), shares)

    def _counts(self, labels: np.ndarray) -> dict[str, int]:
        names = self.network.config.classes
        return dict(zip(names, np.bincount(labels, minlength=len(names)).tolist(), strict=True))


def _encoded(
    samples: Sequence[Sample], text_encoder: TextEncoder, progress: Progress
) -> tuple[TokenRows, np.ndarray]:
    rows = encode(
        ("\n".join(sample.lines) for sample in samples),
        lambda chunk: text_encoder.contexts([[text] for text in chunk]),
        lambda done: progress("tokens", done, len(samples)),
    )
    return rows, np.array([sample.label for sample in samples], dtype=np.int64)
