"""Train all of a network, for as long as validation gets better: the loop of the paper's scale (3.2).

A run that was killed goes on from its last checkpoint and ends with the same bits: batches are drawn from the seed
and the epoch, dropout from the seed and the step, and everything else is in the checkpoint.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from transformers import BertModel

from modelhub.training.errors import Diverged, Interrupted
from modelhub.training.hyperparameters import FineTuning
from modelhub.training.metrics import Metrics
from modelhub.training.objective import Figures, Objective, Progress
from modelhub.training.position import Position, Validation
from modelhub.training.processes import Processes
from modelhub.training.schedule import Schedule
from modelhub.training.snapshots import Snapshots

#: Steps between two lines of figures.
LOGGED_STEPS = 10


@dataclass(frozen=True, slots=True)
class Bounds:
    """What ends a run early, counted from its first start; and how much of it a kill may cost."""

    seconds: float = math.inf
    #: Between two checkpoints; there is one after each validation too.
    checkpoint_seconds: float = 600.0


class FineTuner:
    """One run. ``at`` tells where it is."""

    def __init__(
        self,
        objective: Objective,
        options: FineTuning,
        processes: Processes,
        snapshots: Snapshots,
        metrics: Metrics,
        seed: int,
    ) -> None:
        self.at = Position(Schedule(options.warmup_steps, options.decay))
        self._objective = objective
        self._options = options
        self._processes = processes
        self._snapshots = snapshots
        self._metrics = metrics
        self._seed = seed
        _set_dropout(objective.network, options)
        _attend_quickly(objective.network, processes)
        self._module = processes.parallel(objective.loss)
        self._named = dict(objective.network.named_parameters())
        self._optimizer, self._rates = _optimizer(self._named, objective.fresh, options)
        self._drawn: tuple[int, list[np.ndarray]] = (0, [])
        self._began = self._saved = time.monotonic()
        #: Seconds and examples of learning alone since figures were last written.
        self._learning_s, self._learnt = 0.0, 0

    def resume(self) -> bool:
        """Go to the last checkpoint; false where there is none. Raises OtherRun, SnapshotError."""
        found = self._snapshots.read()
        # The main process writes the next one: only when all have read this one.
        self._processes.wait()
        if found is None:
            return False
        position, tensors = found
        self.at = Position.from_dict(position)
        _restore(self._named, self._optimizer, tensors)
        return True

    def run(self, bounds: Bounds, progress: Progress, wanted: Callable[[], bool] = lambda: True) -> str:
        """Train until validation gets no better or a bound is reached; "patience", "epochs" or "minutes".

        ``wanted`` is asked after each step: where it is false, a checkpoint is written and Interrupted raised.
        Raises Diverged, SnapshotError.
        """
        self._began = time.monotonic() - self.at.seconds
        self._saved = time.monotonic()
        if self._processes.main:
            self._metrics.keep_until(self.at.step if self.at.validations else -1)
        if not self.at.validations:
            self._validate(progress)
            self._save()
        while not (ended := self._ended(bounds, wanted)):
            self._step(bounds, progress)
        if self.at.validations[-1].step < self.at.step:
            self._validate(progress)
            self._save()
        return ended

    def best_network(self) -> nn.Module:
        """The network with the tensors that validation liked best. Raises SnapshotError."""
        tensors = self._snapshots.read_best(self.at.best.step)
        _restore(
            self._named, self._optimizer, {f"network.{name}": tensor for name, tensor in tensors.items()}
        )
        return self._objective.network

    def _ended(self, bounds: Bounds, wanted: Callable[[], bool]) -> str:
        if self.at.validations[-1].epoch - self.at.best.epoch >= self._options.patience:
            return "patience"
        if self.at.epoch > self._options.max_epochs:
            return "epochs"
        now = time.monotonic() - self._began
        match self._processes.agreed(2 if not wanted() else int(now >= bounds.seconds)):
            case 2:
                self._save()
                raise Interrupted(f"stopped after {self.at.step} steps; the same command goes on from there")
            case 1:
                return "minutes"
        return ""

    def _step(self, bounds: Bounds, progress: Progress) -> None:
        """One batch, and what is due after it."""
        at = self.at
        batches = self._batches()
        sizes = [len(batch) for batch in batches]
        progress(f"epoch {at.epoch}", sum(sizes[: at.batch]), sum(sizes))
        self._learn(batches[at.batch])
        at.batch += 1
        progress(f"epoch {at.epoch}", sum(sizes[: at.batch]), sum(sizes))
        if at.step % LOGGED_STEPS == 0:
            self._write_figures()
        validates = at.batch in _marks(len(sizes), self._options.validations_per_epoch)
        if validates:
            self._validate(progress)
        if at.batch == len(sizes):
            at.epoch, at.batch = at.epoch + 1, 0
        if validates or time.monotonic() - self._saved >= bounds.checkpoint_seconds:
            self._save()

    def _batches(self) -> list[np.ndarray]:
        """This epoch's."""
        if self._drawn[0] != self.at.epoch:
            self._drawn = (self.at.epoch, self._objective.batches(self.at.epoch))
        return self._drawn[1]

    @property
    def _epochs(self) -> float:
        """How many are done, with parts."""
        return self.at.epoch - 1 + self.at.batch / len(self._batches())

    def _learn(self, places: np.ndarray) -> None:
        at, processes, began = self.at, self._processes, time.monotonic()
        share = processes.share(places)
        torch.manual_seed(_mixed(self._seed, at.step, processes.rank))
        for group, rate in zip(self._optimizer.param_groups, self._rates, strict=True):
            group["lr"] = rate * at.schedule.factor(at.step)
        self._objective.loss.train()
        loss = self._module(*self._objective.inputs(share))
        mean = processes.total([loss.item()])[0] / processes.count
        if not math.isfinite(mean):
            raise Diverged(f"the loss is {mean} at step {at.step}; train with a lower learning rate")
        self._optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(self._named.values(), self._options.clip)
        self._optimizer.step()
        at.step += 1
        at.examples += len(share) * processes.count
        at.loss_sum += mean
        at.loss_count += 1
        at.unwritten.append(mean)
        self._learning_s += time.monotonic() - began
        self._learnt += len(share) * processes.count

    def _validate(self, progress: Progress) -> None:
        at = self.at
        self._objective.loss.eval()
        figures: Figures = self._objective.validate(progress)
        train_loss = at.loss_sum / at.loss_count if at.loss_count else None
        at.validations.append(Validation(at.step, self._epochs, train_loss, figures.loss, figures.shares))
        at.loss_sum, at.loss_count = 0.0, 0
        at.schedule.validated(at.step, figures.loss)
        if not self._processes.main:
            return
        shares = {f"valid_{self._objective.measure}": figures.shares}
        self._metrics.add(at.step, epoch=round(self._epochs, 4), valid_loss=figures.loss, **shares)
        if at.best.step == at.step:
            self._snapshots.write_best(at.step, _on_cpu(self._named))

    def _save(self) -> None:
        self.at.seconds = time.monotonic() - self._began
        self._saved = time.monotonic()
        if self._processes.main:
            tensors = _on_cpu({f"network.{name}": tensor for name, tensor in self._named.items()})
            for name, parameter in self._named.items():
                for key, value in self._optimizer.state[parameter].items():
                    tensors[f"optimizer.{key}.{name}"] = value.cpu()
            self._snapshots.write(self.at.as_dict(), tensors, self.at.best.step)

    def _write_figures(self) -> None:
        at = self.at
        if self._processes.main:
            self._metrics.add(
                at.step,
                epoch=round(self._epochs, 4),
                examples=at.examples,
                loss=sum(at.unwritten) / len(at.unwritten),
                learning_rate=self._optimizer.param_groups[0]["lr"],
                examples_per_s=round(self._learnt / self._learning_s, 1),
            )
        at.unwritten.clear()
        self._learning_s, self._learnt = 0.0, 0


def _marks(batches: int, validations: int) -> set[int]:
    """After how many of an epoch's batches there is a validation."""
    return {math.ceil(batches * part / validations) for part in range(1, validations + 1)}


def _mixed(*numbers: int) -> int:
    """One seed of several numbers."""
    return int(np.random.SeedSequence(numbers).generate_state(1, np.uint64)[0])


def _set_dropout(network: nn.Module, options: FineTuning) -> None:
    for name, module in network.named_modules():
        if isinstance(module, nn.Dropout):
            of_attention = name.endswith("attention.self.dropout")
            module.p = options.attention_dropout if of_attention else options.dropout


def _attend_quickly(network: nn.Module, processes: Processes) -> None:
    """On a CPU torch's fused attention is slow backwards in bfloat16; three plain products are quicker."""
    if processes.bfloat16 and processes.device.type == "cpu":
        for module in network.modules():
            if isinstance(module, BertModel):
                module.set_attn_implementation("eager")


def _optimizer(
    named: dict[str, nn.Parameter], fresh: tuple[str, ...], options: FineTuning
) -> tuple[torch.optim.Optimizer, list[float]]:
    """Adamax (Kingma and Ba 2015, section 7.1) and the highest rate of each of its groups."""
    groups = [
        ([p for name, p in named.items() if not name.startswith(fresh)], options.learning_rate),
        ([p for name, p in named.items() if fresh and name.startswith(fresh)], options.fresh_learning_rate),
    ]
    groups = [(parameters, rate) for parameters, rate in groups if parameters]
    optimizer = torch.optim.Adamax([{"params": parameters, "lr": rate} for parameters, rate in groups])
    return optimizer, [rate for _, rate in groups]


def _restore(
    named: dict[str, nn.Parameter], optimizer: torch.optim.Optimizer, tensors: dict[str, Tensor]
) -> None:
    """Into the network and the optimizer that there are."""
    with torch.no_grad():
        for full_name, tensor in tensors.items():
            kind, _, name = full_name.partition(".")
            if kind == "network":
                named[name].copy_(tensor)
                continue
            key, _, name = name.partition(".")
            # Steps are counted on the CPU.
            device = tensor.device if key == "step" else named[name].device
            optimizer.state[named[name]][key] = tensor.to(device, copy=True)


def _on_cpu(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
