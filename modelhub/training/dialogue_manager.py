"""Train the dialogue manager: which skill does a text belong to? (Smith et al. 2020, section 3.2.)

Here are its samples, and the training of its head alone; classification.py fine-tunes its encoder too. Utterances
that occur in more than one data set are left out, classes are filled up to equal size by drawing with replacement,
and nothing but what was said is read: topics and personas would give the data set away.
"""

from __future__ import annotations

import math
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from modelhub.agents.base import normalise
from modelhub.datasets import layout
from modelhub.datasets.episodes import Episode
from modelhub.dialogue import Skill
from modelhub.polyencoder.manager import SkillClassifier
from modelhub.polyencoder.tokens import TextEncoder
from modelhub.training.errors import EmptyData
from modelhub.training.recipes import SINGLE_SKILLS

BATCH_TEXTS = 64
LEARNING_RATE = 1e-3
WEIGHT_DECAY = 0.1
BATCH = 128
MAX_EPOCHS = 60
PATIENCE = 10
DROPOUT = 0.3


@dataclass(frozen=True, slots=True)
class Sample:
    """What was said last, and the class it belongs to."""

    lines: tuple[str, ...]
    label: int
    episode: str


def samples(split: str, folder: Path, last: int, seed: int = 0, most: int | None = None) -> list[Sample]:
    """Every run of up to ``last`` utterances that a model would be asked to answer, of the three skills.

    Single utterances too, as the paper trains on; ones that occur in more than one data set are left out.
    ``most`` bounds a data set's: dialogues are drawn by the seed until there are so many. Raises EmptyData.
    """
    by_skill = {skill: layout.read(skill, split, folder) for skill in SINGLE_SKILLS}
    shared = _shared_utterances(by_skill)
    found: list[Sample] = []
    for label, (skill, episodes) in enumerate(by_skill.items()):
        own = _samples(episodes, label, last, shared, seed, most)
        if not own:
            path = layout.find(skill, split, folder)
            raise EmptyData(f"{path}: no utterance that only {skill.value} has; give it some")
        found += own
    return found


def _samples(
    episodes: list[Episode], label: int, last: int, shared: set[str], seed: int, most: int | None
) -> list[Sample]:
    """One class's, each once."""
    if most:
        episodes = random.Random(seed).sample(episodes, len(episodes))
    found: dict[tuple[str, ...], Sample] = {}
    for episode in episodes:
        for lines in _runs(episode, last):
            if not shared & {normalise(line) for line in lines}:
                found.setdefault(lines, Sample(lines, label, episode.key))
        if most and len(found) >= most:
            break
    return list(found.values())[:most]


def _shared_utterances(by_skill: dict[Skill, list[Episode]]) -> set[str]:
    seen: dict[str, Skill] = {}
    shared: set[str] = set()
    for skill, episodes in by_skill.items():
        for episode in episodes:
            for turn in episode.turns:
                if seen.setdefault(normalise(turn.text), skill) is not skill:
                    shared.add(normalise(turn.text))
    return shared


def _runs(episode: Episode, last: int) -> list[tuple[str, ...]]:
    texts = [turn.text for turn in episode.turns]
    runs: list[tuple[str, ...]] = [(text,) for text in texts]
    runs += [tuple(texts[max(0, end - last) : end]) for end in range(2, len(texts) + 1)]
    return runs


@torch.inference_mode()
def embed(network: SkillClassifier, text_encoder: TextEncoder, given: Sequence[Sample]) -> Tensor:
    """(samples, D): the head's input. The encoder is not trained, so this is done once."""
    network.eval()
    rows = torch.empty(len(given), network.encoder.config.hidden_size)
    order = sorted(range(len(given)), key=lambda place: sum(map(len, given[place].lines)))
    for start in range(0, len(order), BATCH_TEXTS):
        places = order[start : start + BATCH_TEXTS]
        rows[places] = network.embed(*text_encoder.contexts([given[place].lines for place in places]))
    return rows


@dataclass(frozen=True, slots=True)
class Outcome:
    """Accuracies from 0 to 1 on the validation split, epoch by epoch."""

    accuracies: tuple[float, ...]
    best_epoch: int


def train(
    network: SkillClassifier,
    train_rows: tuple[Tensor, Tensor],
    valid_rows: tuple[Tensor, Tensor],
    seed: int,
    progress: Callable[[int, int, int], None],
    deadline: float = math.inf,
) -> Outcome:
    """Train the head on (inputs, labels); it keeps the epoch of the best validation accuracy."""
    torch.manual_seed(seed)
    optimizer = torch.optim.AdamW(network.head.parameters(), lr=LEARNING_RATE, weight_decay=WEIGHT_DECAY)
    accuracies = [accuracy(network, *valid_rows)]
    best, kept = 0, _copies(network.head)
    for epoch in range(1, MAX_EPOCHS + 1):
        inputs, labels = _balanced(*train_rows)
        for start in range(0, len(labels), BATCH):
            rows = functional.dropout(inputs[start : start + BATCH], DROPOUT)
            loss = functional.cross_entropy(network.classify(rows), labels[start : start + BATCH])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            progress(epoch, min(start + BATCH, len(labels)), len(labels))
        accuracies.append(accuracy(network, *valid_rows))
        if accuracies[-1] > accuracies[best]:
            best, kept = epoch, _copies(network.head)
        if epoch - best >= PATIENCE or time.monotonic() > deadline:
            break
    network.head.load_state_dict(kept)
    return Outcome(tuple(accuracies), best)


@torch.inference_mode()
def accuracy(network: SkillClassifier, inputs: Tensor, labels: Tensor) -> float:
    """The mean over classes of the share that is classified rightly, so that no class outweighs another."""
    right = network.classify(inputs).argmax(1) == labels
    return float(torch.stack([right[labels == label].float().mean() for label in labels.unique()]).mean())


def _balanced(inputs: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """All rows in random order, smaller classes filled up by drawing with replacement."""
    counts = labels.bincount()
    chosen = []
    for label, count in enumerate(counts.tolist()):
        own = (labels == label).nonzero()[:, 0]
        extra = own[torch.randint(count, (int(counts.max()) - count,))]
        chosen.append(torch.cat([own, extra]))
    order = torch.cat(chosen)
    order = order[torch.randperm(len(order))]
    return inputs[order], labels[order]


def _copies(head: nn.Module) -> dict[str, Tensor]:
    return {name: tensor.detach().clone() for name, tensor in head.state_dict().items()}
