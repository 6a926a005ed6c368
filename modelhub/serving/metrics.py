"""What this process counts about answering, by model: ``slug@number``, as everywhere that models are told of."""

from __future__ import annotations

from collections.abc import Iterable

from prometheus_client import Histogram

SIZES = (1, 2, 4, 8, 16, 32, 64, 128)
SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
TURNS = Histogram("colloquy_batch_turns", "Turns that were answered as one batch.", ["model"], buckets=SIZES)
WORKED = Histogram("colloquy_batch_seconds", "What a model took for a batch.", ["model"], buckets=SECONDS)
WAITED = Histogram(
    "colloquy_queue_seconds", "What a turn waited in this process for its batch.", ["model"], buckets=SECONDS
)

#: Models by the names that their batchers have.
_models: dict[str, str] = {}


def call(batcher: str, model: str) -> None:
    """Say which model a batcher of this name answers with; without it, figures have the batcher's own name."""
    _models[batcher] = model


def answered(batcher: str, waited_s: Iterable[float], worked_s: float) -> None:
    """A batch was answered: how long each of its turns waited, and what the model took for all, in seconds."""
    model = _models.get(batcher, batcher)
    waits = tuple(waited_s)
    TURNS.labels(model).observe(len(waits))
    WORKED.labels(model).observe(worked_s)
    waited = WAITED.labels(model)
    for wait_s in waits:
        waited.observe(wait_s)
