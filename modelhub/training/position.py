"""Where a run of the paper's scale is: all that its checkpoints hold beside tensors, as plain values."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from modelhub.training.schedule import Schedule


@dataclass(frozen=True, slots=True)
class Validation:
    """Figures after a step; ``epoch`` counts parts of epochs. The first is the network before training."""

    step: int
    epoch: float
    train_loss: float | None
    valid_loss: float
    shares: dict[str, float]

    @property
    def rank(self) -> tuple[float, float]:
        """Better ones have greater ranks: by the mean share, between equals by the loss."""
        return sum(self.shares.values()) / len(self.shares), -self.valid_loss


@dataclass(slots=True)
class Position:
    """Where a run is. ``batch`` counts those of the epoch that are done."""

    schedule: Schedule
    step: int = 0
    epoch: int = 1
    batch: int = 0
    examples: int = 0
    seconds: float = 0.0
    #: Losses of the steps since figures were last written, and their sum and number since the last validation.
    unwritten: list[float] = field(default_factory=list)
    loss_sum: float = 0.0
    loss_count: int = 0
    validations: list[Validation] = field(default_factory=list)

    @classmethod
    def from_dict(cls, stored: dict[str, Any]) -> Position:
        validations = [Validation(**each) for each in stored["validations"]]
        return cls(**{**stored, "schedule": Schedule(**stored["schedule"]), "validations": validations})

    @property
    def best(self) -> Validation:
        """The first of equals."""
        return max(self.validations, key=lambda validation: validation.rank)

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)

    def record(self, measure: str) -> dict[str, object]:
        """What was done, the step that was best, and the figures of every validation; for people."""
        return {
            "steps": self.step,
            "seconds": round(self.seconds, 1),
            "best_step": self.best.step,
            "validations": [
                {
                    "step": each.step,
                    "epoch": round(each.epoch, 4),
                    "train_loss": None if each.train_loss is None else round(each.train_loss, 4),
                    "valid_loss": round(each.valid_loss, 4),
                    f"valid_{measure}": {name: round(share, 4) for name, share in each.shares.items()},
                }
                for each in self.validations
            ],
        }
