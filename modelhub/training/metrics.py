"""A run's figures as they come: ``metrics.jsonl`` beside the model, one line for some steps or for a validation."""

from __future__ import annotations

import json
from pathlib import Path

from modelhub.training.errors import TrainingError

METRICS = "metrics.jsonl"


class Metrics:
    """Lines are objects with a ``step``; they are added at the end of the file."""

    def __init__(self, out: Path) -> None:
        self._path = out / METRICS

    def keep_until(self, step: int) -> None:
        """Remove what was written after this step: a run that goes on from there writes it again.

        So is a last line that a kill cut short.
        """
        if not self._path.is_file():
            return
        lines = self._path.read_text(encoding="utf-8").splitlines(keepends=True)
        kept = [line for line in lines if line.endswith("\n") and json.loads(line)["step"] <= step]
        self._path.write_text("".join(kept), encoding="utf-8")

    def add(self, step: int, **figures: object) -> None:
        """Raises TrainingError when the line cannot be written."""
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with self._path.open("a", encoding="utf-8") as file:
                file.write(json.dumps({"step": step, **figures}) + "\n")
        except OSError as error:
            raise TrainingError(
                f"{self._path}: could not be written ({error}); make room on the disk, and give the same command "
                "again to go on from the last checkpoint"
            ) from error
