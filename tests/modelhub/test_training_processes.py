"""Two processes of one run learn what one learns from the same batches."""

from __future__ import annotations

import os
import socket
import subprocess
from collections.abc import Callable

import pytest

from modelhub.polyencoder import checkpoints
from modelhub.training.runs import Run

from .test_training_resume import PROJECT, command
from .tiny_runs import record, train

#: No dropout, which each process draws for itself; batches that two can share.
SHARED = {"max_epochs": "6", "learning_rate": "1e-3", "dropout": "0", "attention_dropout": "0", "decay": "1"}
CPU = {**os.environ, "ACCELERATE_USE_CPU": "true"}


def free_port() -> int:
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        return door.getsockname()[1]


def launched(given: Run) -> list[str]:
    """As ``accelerate launch`` does it for several GPUs; for several CPUs it needs MPI."""
    launch = ["-m", "torch.distributed.run", "--nproc-per-node", "2", "--master-port", str(free_port())]
    python, *arguments = command(given)
    return [python, *launch, *arguments]


def test_two_processes_learn_what_one_does(changed: Callable[..., Run]) -> None:
    data = changed(**SHARED).data / "convai2" / "train.txt"
    data.write_text("".join(data.read_text().splitlines(keepends=True)[:24]))
    alone = record(train("convai2", changed(**SHARED)))
    two = changed(**SHARED)
    done = subprocess.run(launched(two), cwd=PROJECT, capture_output=True, text=True, env=CPU, timeout=280)
    assert done.returncode == 0, done.stderr[-2000:]
    together = record(two.out)
    assert (together["processes"], alone["processes"]) == (2, 1) and together["steps"] == alone["steps"]
    for one, other in zip(alone["validations"][1:], together["validations"][1:], strict=True):
        # Negatives of one process alone would take ln 2 from it.
        assert other["train_loss"] == pytest.approx(one["train_loss"], abs=0.01)
        assert other["valid_loss"] == pytest.approx(one["valid_loss"], abs=0.01)
    assert checkpoints.load(two.out).config.codes == 4
