"""What ``manage.py train`` does, apart from Django: choose the run, show its progress, say where it ended."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TypedDict, Unpack

import torch

from modelhub.benchmarks import results
from modelhub.datasets.layout import STARTER
from modelhub.polyencoder.base import base_folder
from modelhub.progress import Bars
from modelhub.starter.install import WEIGHTS
from modelhub.training import recipes, runs
from modelhub.training.errors import TrainingError
from modelhub.training.runs import Run

OPTIONS = ("recipe", "data", "base", "out", "start", "seed", "max_minutes", "threads")
#: Not a recipe: measures what was trained.
RESULTS = "results"


class Options(TypedDict):
    """The command line; None where an option was not given."""

    recipe: str
    data: Path | None
    base: Path | None
    out: Path | None
    start: Path | None
    seed: int
    max_minutes: float
    threads: int


def run(**options: Unpack[Options]) -> Iterator[str]:
    """Do it; yields lines for a person. Raises ModelhubError."""
    torch.set_num_threads(options["threads"])
    name = options["recipe"]
    asked = Run(
        data=options["data"] or STARTER,
        base=options["base"] or base_folder(),
        out=options["out"] or _default_out(name),
        seed=options["seed"],
        minutes=options["max_minutes"],
    )
    with Bars() as bars:
        if name == recipes.EVERYTHING:
            runs.train_everything(asked, bars.show)
        elif name == recipes.MANAGER:
            runs.train_manager(asked, bars.show)
        elif name != RESULTS:
            runs.train_recipe(recipes.recipe(name), asked, options["start"], bars.show)
        if name in (recipes.EVERYTHING, RESULTS):
            written = results.write(asked.out, asked.data, asked.base, asked.seed, bars.show)
            yield from results.table(written)
    yield f"written to {asked.out}"


def _default_out(name: str) -> Path:
    if name in (recipes.EVERYTHING, RESULTS):
        return WEIGHTS
    if name != recipes.MANAGER:
        recipes.recipe(name)
    raise TrainingError(f"name the folder for {name} with --out")
