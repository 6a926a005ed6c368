"""The learning rate: a warm-up, then a fall on every plateau of the validation loss."""

from __future__ import annotations

from dataclasses import dataclass

#: A loss that is lower by less than this share of it has not fallen.
LEAST_FALL = 1e-4


@dataclass(slots=True)
class Schedule:
    """A factor of the rate. ``decay`` is what remains of it after a plateau; ``share`` and ``lowest`` are its state."""

    warmup_steps: int
    decay: float
    share: float = 1.0
    #: The lowest validation loss after the warm-up.
    lowest: float | None = None

    def factor(self, step: int) -> float:
        """For the step that comes after ``step`` of them."""
        return self.share * min(1.0, (step + 1) / max(1, self.warmup_steps))

    def validated(self, step: int, loss: float) -> None:
        """Fall at once where the loss did not; while the rate still rises, losses say nothing about it."""
        if step <= self.warmup_steps:
            return
        if self.lowest is None or loss < self.lowest * (1 - LEAST_FALL):
            self.lowest = loss
        else:
            self.share *= self.decay
