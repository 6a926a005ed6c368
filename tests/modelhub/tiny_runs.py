"""Runs at the paper's scale on the tiny base."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from modelhub.polyencoder import checkpoints
from modelhub.training.errors import Interrupted
from modelhub.training.paper_runs import fine_tune_recipe
from modelhub.training.recipes import recipe
from modelhub.training.runs import RECORD, Run
from modelhub.training.snapshots import FOLDER, STATE

TINY = {
    "text_truncate": "48",
    "label_truncate": "16",
    "codes": "4",
    "batch": "8",
    "warmup_steps": "2",
    "max_epochs": "1",
}
MANAGER = {"text_truncate": "48", "batch": "8", "warmup_steps": "2", "max_epochs": "1"}


def silent(*_: object) -> None:
    pass


def train(slug: str, given: Run, start: Path | None = None) -> Path:
    return fine_tune_recipe(recipe(slug), given, start, silent)


def stopped(given: Run, steps: int, start: Path | None = None) -> dict[str, torch.Tensor]:
    """Train convai2 and ask it to stop after some steps; the tensors of its checkpoint."""
    answers = iter([True] * steps)
    with pytest.raises(Interrupted, match=f"stopped after {steps} steps; the same command goes on"):
        fine_tune_recipe(recipe("convai2"), given, start, silent, lambda: next(answers, False))
    return checkpoints.read_tensors(given.out / FOLDER / STATE)


def record(folder: Path) -> dict[str, Any]:
    return json.loads((folder / RECORD).read_text())


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return checkpoints.read_tensors(folder / checkpoints.WEIGHTS)
