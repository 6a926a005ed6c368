"""Train a poly-encoder: every other label of a batch is a wrong answer (Humeau et al. 2020, section 4).

Chosen is the epoch with the best hits@1 on the validation examples, the mean over tasks; the smaller loss decides
between equals.
"""

from __future__ import annotations

import math
import random
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

import torch
from torch import Tensor, nn
from torch.nn import functional

from modelhub.benchmarks.candidates import Question, drawn_questions
from modelhub.datasets.episodes import Example
from modelhub.polyencoder.network import PolyEncoder, mean_over_tokens
from modelhub.polyencoder.tokens import TextEncoder, context_lines
from modelhub.training.errors import Diverged
from modelhub.training.frozen import SplitEncoder, first_trained_layer
from modelhub.training.recipes import Hyperparameters
from modelhub.training.tasks import Task

#: Examples of like length are put into one batch within chunks of this many batches.
CHUNK_BATCHES = 8
#: What remains of the learning rate at the end of the longest run.
FINAL_RATE = 0.1


@dataclass(frozen=True, slots=True)
class Epoch:
    """One epoch's figures; epoch 0 is the network before training. Losses in nats, hits@1 from 0 to 1."""

    number: int
    train_loss: float
    valid_loss: float
    valid_hits_at_1: dict[str, float]

    @property
    def rank(self) -> tuple[float, float]:
        """Better epochs have greater ranks."""
        return sum(self.valid_hits_at_1.values()) / len(self.valid_hits_at_1), -self.valid_loss


Item = TypeVar("Item")
#: Told after each batch: epoch, examples done in it, its examples in all.
Progress = Callable[[int, int, int], None]


class Trainer:
    """One run. The network keeps the best epoch's tensors when ``run`` returns."""

    def __init__(
        self,
        network: PolyEncoder,
        text_encoder: TextEncoder,
        tasks: Sequence[Task],
        options: Hyperparameters,
        seed: int,
    ) -> None:
        self.network = network
        self._options = options
        self._tasks = tasks
        self._rng = random.Random(seed)
        torch.manual_seed(seed)
        layers = network.encoder.encoder.layer
        first = first_trained_layer(options.trained, len(layers))
        self._split = SplitEncoder(network.encoder, first)
        self._top = nn.ModuleList(layers[first:])
        self._text_encoder = text_encoder
        self._contexts: dict[str, Tensor] = {}
        self._labels: dict[str, Tensor] = {}
        self._parameters = _free_parameters(network, options)
        self._rates = (options.learning_rate, options.code_learning_rate)
        layers_of = [parameter for parameter in self._parameters if parameter is not network.codes]
        codes = [parameter for parameter in self._parameters if parameter is network.codes]
        self._optimizer = torch.optim.AdamW(
            [{"params": layers_of}, {"params": codes}], weight_decay=options.weight_decay
        )
        self._questions = {task.skill.value: drawn_questions(task.valid, seed) for task in tasks}
        self._step = 0

    def prepare(self, progress: Callable[[int, int], None]) -> None:
        """Run the frozen layers over every text once; ``progress(done, all)`` counts texts."""
        every = [example for task in self._tasks for example in (*task.train, *task.valid)]
        contexts = list(dict.fromkeys(_context(example) for example in every))
        labels = list(dict.fromkeys(example.label for example in every))
        total = len(contexts) + len(labels)
        self._contexts = self._split.below(
            contexts, self._tokenize_contexts, lambda done: progress(done, total)
        )
        self._labels = self._split.below(
            labels, self._text_encoder.candidates, lambda done: progress(len(contexts) + done, total)
        )

    def run(self, progress: Progress, deadline: float = math.inf) -> list[Epoch]:
        """Train until ``patience`` epochs bring nothing better, or ``time.monotonic()`` passes the deadline.

        Raises Diverged when the loss is not finite.
        """
        examples = [example for task in self._tasks for example in task.train]
        epochs = [self._validated(0, math.nan)]
        best, kept = epochs[0], _copies(self.network)
        for number in range(1, self._options.max_epochs + 1):
            loss = self._train(number, examples, progress, deadline)
            epochs.append(self._validated(number, loss))
            if epochs[-1].rank > best.rank:
                best, kept = epochs[-1], _copies(self.network)
            if number - best.number >= self._options.patience or time.monotonic() > deadline:
                break
        self.network.load_state_dict(kept, strict=False)
        return epochs

    def _train(self, number: int, examples: list[Example], progress: Progress, deadline: float) -> float:
        self._top.train()
        losses: list[float] = []
        done = 0
        for batch in self._batches(examples):
            losses.append(self._learn(batch))
            done += len(batch)
            progress(number, done, len(examples))
            if time.monotonic() > deadline:
                break
        return sum(losses) / len(losses)

    def _learn(self, batch: Sequence[Example]) -> float:
        self._set_rate()
        views = self._views([_context(example) for example in batch])
        scores = self.network.score(views, self._candidates([example.label for example in batch]))
        loss = functional.cross_entropy(_without_twins(scores, batch), torch.arange(len(batch)))
        if not torch.isfinite(loss):
            raise Diverged(
                f"the loss is {loss.item()} at step {self._step}; train with a lower learning rate"
            )
        self._optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(self._parameters, self._options.clip)
        self._optimizer.step()
        self._step += 1
        return loss.item()

    @torch.inference_mode()
    def _validated(self, number: int, train_loss: float) -> Epoch:
        self._top.eval()
        hits: dict[str, float] = {}
        losses: list[Tensor] = []
        for skill, asked in self._questions.items():
            scores = self._scores(asked)
            hits[skill] = float((scores[:, 0] > scores[:, 1:].max(1).values).float().mean())
            losses.append(functional.cross_entropy(scores, torch.zeros(len(scores), dtype=torch.long)))
        return Epoch(number, train_loss, float(torch.stack(losses).mean()), hits)

    def _scores(self, asked: Sequence[Question]) -> Tensor:
        """(questions, candidates), the label's score first."""
        size = self._options.batch
        labels = sorted({text for question in asked for text in question.candidates}, key=len)
        contexts = sorted({_context(question.example) for question in asked}, key=len)
        rows = torch.cat([self._candidates(part) for part in _parts(labels, size)])
        views = torch.cat([self._views(part) for part in _parts(contexts, size)])
        row_of = {label: place for place, label in enumerate(labels)}
        view_of = {context: place for place, context in enumerate(contexts)}
        found = []
        for part in _parts(asked, size):
            chosen = torch.tensor([[row_of[text] for text in question.candidates] for question in part])
            read = torch.tensor([view_of[_context(question.example)] for question in part])
            found.append(self.network.score(views[read], rows[chosen]))
        return torch.cat(found)

    def _views(self, contexts: Sequence[str]) -> Tensor:
        hidden, mask = self._split.above([self._contexts[context] for context in contexts])
        return self.network.attend(hidden * self.network.config.output_scaling, mask)

    def _candidates(self, labels: Sequence[str]) -> Tensor:
        hidden, mask = self._split.above([self._labels[label] for label in labels])
        return mean_over_tokens(hidden * self.network.config.output_scaling, mask)

    def _batches(self, examples: Sequence[Example]) -> Iterator[list[Example]]:
        """All examples in random batches; those of like length together, which saves padding."""
        size = self._options.batch
        order = self._rng.sample(list(examples), len(examples))
        batches: list[list[Example]] = []
        for start in range(0, len(order), size * CHUNK_BATCHES):
            chunk = sorted(order[start : start + size * CHUNK_BATCHES], key=lambda e: len(_context(e)))
            batches.extend(chunk[place : place + size] for place in range(0, len(chunk), size))
        self._rng.shuffle(batches)
        yield from batches

    def _set_rate(self) -> None:
        """Rise over the first steps, then fall in a straight line."""
        examples = sum(len(task.train) for task in self._tasks)
        longest = self._options.max_epochs * math.ceil(examples / self._options.batch)
        rise = min(1.0, (self._step + 1) / self._options.warmup_steps)
        fall = 1 - (1 - FINAL_RATE) * self._step / longest
        for group, rate in zip(self._optimizer.param_groups, self._rates, strict=True):
            group["lr"] = rate * rise * fall

    def _tokenize_contexts(self, texts: Sequence[str]) -> tuple[Tensor, Tensor]:
        return self._text_encoder.contexts([[text] for text in texts])


def _parts(items: Sequence[Item], size: int) -> Iterator[Sequence[Item]]:
    return (items[start : start + size] for start in range(0, len(items), size))


def _context(example: Example) -> str:
    return "\n".join(context_lines(example.dialogue))


def _free_parameters(network: PolyEncoder, options: Hyperparameters) -> list[nn.Parameter]:
    """Let the trained tensors change, and nothing else; set their layers' dropout.

    Dropping attention weights would cost a third of the time on a CPU: no fused kernel does it there.
    """
    network.eval()
    for name, parameter in network.named_parameters():
        parameter.requires_grad_(name.startswith(options.trained))
    for name, module in network.named_modules():
        if isinstance(module, nn.Dropout):
            module.p = 0.0 if name.endswith("attention.self.dropout") else options.dropout
    return [parameter for parameter in network.parameters() if parameter.requires_grad]


def _without_twins(scores: Tensor, batch: Sequence[Example]) -> Tensor:
    """Scores (B, B) where another example's equal label does not count as a wrong answer."""
    place = {label: index for index, label in enumerate(dict.fromkeys(e.label for e in batch))}
    kind = torch.tensor([place[example.label] for example in batch])
    twins = (kind[:, None] == kind[None]) & ~torch.eye(len(batch), dtype=torch.bool)
    return scores.masked_fill(twins, -math.inf)


def _copies(network: nn.Module) -> dict[str, Tensor]:
    return {n: p.detach().clone() for n, p in network.named_parameters() if p.requires_grad}
