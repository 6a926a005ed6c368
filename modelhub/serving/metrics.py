"""What this process counts about answering, by the model's slug."""

from __future__ import annotations

from prometheus_client import Histogram

BATCH_SIZE = Histogram(
    "colloquy_batch_turns",
    "Turns that were answered as one batch.",
    ["model"],
    buckets=(1, 2, 4, 8, 16, 32, 64, 128),
)
SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
BATCH_SECONDS = Histogram(
    "colloquy_batch_seconds", "What a model took for a batch.", ["model"], buckets=SECONDS
)
QUEUE_SECONDS = Histogram(
    "colloquy_queue_seconds", "What a turn waited in this process for its batch.", ["model"], buckets=SECONDS
)
