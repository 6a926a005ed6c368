"""The processes of one run: one, or as many as ``accelerate launch`` started, each on a device of its own.

Every process reads the same data and holds the same weights. A batch is shared out among them, and a right label
has the labels of the whole batch against it, wherever they were encoded: what is learnt does not depend on how many
processes there are, but for rounding and dropout.
"""

from __future__ import annotations

from contextlib import AbstractContextManager

import numpy as np
import torch
from torch import Tensor, distributed, nn

from modelhub.polyencoder.precision import has_fast_bfloat16

#: What encoders compute in while they are trained; weights, optimizer and scores are float32 always.
PRECISIONS = ("auto", "float32", "bfloat16")

#: Tokens of a validation batch: what a CPU's cache, or a GPU's cores, like best.
CPU_TOKENS, GPU_TOKENS = 4096, 65536


class Processes:
    """This process among those of the run. Only the ``main`` one writes files and shows progress."""

    def __init__(self, precision: str = "auto") -> None:
        # Only training needs it, and it takes a second to import.
        from accelerate import Accelerator

        # Precision is set where the encoders run: scores under autocast would be rounded too.
        self._accelerator = Accelerator(mixed_precision="no")
        given: torch.device = self._accelerator.device
        # Several processes on CPUs get one with a number, which safetensors does not know.
        self.device = torch.device("cpu") if given.type == "cpu" else given
        self.rank: int = self._accelerator.process_index
        self.count: int = self._accelerator.num_processes
        self.bfloat16 = precision == "bfloat16" or (precision == "auto" and has_fast_bfloat16(self.device))

    @property
    def main(self) -> bool:
        return self.rank == 0

    @property
    def validation_tokens(self) -> int:
        """Of a batch that is not learnt from, padding included."""
        return CPU_TOKENS if self.device.type == "cpu" else GPU_TOKENS

    def autocast(self) -> AbstractContextManager[None]:
        """Within it, encoders compute in bfloat16 where the device does that well."""
        return torch.autocast(self.device.type, torch.bfloat16, enabled=self.bfloat16)

    def parallel(self, module: nn.Module) -> nn.Module:
        """The module on this process's device; its gradients are the mean over processes."""
        return self._accelerator.prepare_model(module)

    def share(self, places: np.ndarray) -> np.ndarray:
        """This process's part of a batch; all parts are equal, and a remainder is left out."""
        return places[self.rank : len(places) - len(places) % self.count : self.count]

    def gathered(self, rows: Tensor) -> Tensor:
        """(B, ...) of every process, one after the other: (count * B, ...). Gradients find their way back."""
        return rows if self.count == 1 else _Gather.apply(rows, self.rank, self.count)

    def total(self, numbers: list[float]) -> list[float]:
        """Each number's sum over processes; the same bits in each."""
        if self.count == 1:
            return numbers
        summed = torch.tensor(numbers, dtype=torch.float64, device=self.device)
        distributed.all_reduce(summed)
        return summed.tolist()

    def agreed(self, answer: int) -> int:
        """The main process's answer: clocks and signals differ, and all must stop at the same step."""
        if self.count == 1:
            return answer
        given = torch.tensor([answer], device=self.device)
        distributed.broadcast(given, 0)
        return int(given)

    def wait(self) -> None:
        """Until all are here."""
        self._accelerator.wait_for_everyone()


class _Gather(torch.autograd.Function):
    """All processes' rows; a row's gradient is the sum of what every process made of it."""

    @staticmethod
    def forward(ctx, rows: Tensor, rank: int, count: int) -> Tensor:  # type: ignore[no-untyped-def]
        ctx.part = slice(rank * len(rows), (rank + 1) * len(rows))
        parts = [torch.empty_like(rows) for _ in range(count)]
        distributed.all_gather(parts, rows.contiguous())
        return torch.cat(parts)

    @staticmethod
    def backward(ctx, gradient: Tensor) -> tuple[Tensor, None, None]:  # type: ignore[no-untyped-def]
        summed = gradient.contiguous()
        distributed.all_reduce(summed)
        return summed[ctx.part], None, None
