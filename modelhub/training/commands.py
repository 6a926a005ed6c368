"""What ``manage.py train`` does, apart from Django: choose the run, show its progress, say where it ended."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any, TypedDict, TypeVar, Unpack

import torch

from modelhub.benchmarks import results
from modelhub.datasets import layout
from modelhub.polyencoder.base import base_folder
from modelhub.progress import Bars
from modelhub.starter.install import WEIGHTS
from modelhub.training import paper_runs, recipes, runs
from modelhub.training.errors import TrainingError, UnknownOption
from modelhub.training.runs import Run

#: Not a recipe: measures what was trained.
RESULTS = "results"
#: Values that have an option of their own; all others are given with --set.
VALUES = ("learning_rate", "batch", "max_epochs", "text_truncate")


class Options(TypedDict):
    """The command line; None where an option was not given."""

    recipe: str
    data: Path | None
    base: Path | None
    out: Path | None
    start: Path | None
    from_scratch: bool
    scale: str | None
    seed: int
    learning_rate: str | None
    batch: str | None
    max_epochs: str | None
    text_truncate: str | None
    set: Sequence[str]
    max_examples: int | None
    max_minutes: float
    checkpoint_minutes: float
    restart: bool
    precision: str
    threads: int


OPTIONS = tuple(Options.__annotations__)


def run(**options: Unpack[Options]) -> Iterator[str]:
    """Do it; yields lines for a person. Raises ModelhubError."""
    torch.set_num_threads(options["threads"])
    name, start = options["recipe"], options["start"]
    asked = _asked(options)
    with Bars() as bars:
        if _scale(options) == recipes.PAPER and name != RESULTS:
            _fine_tune(name, asked, start, bars)
        elif name == recipes.EVERYTHING:
            runs.train_everything(asked, bars.show)
        elif name == recipes.MANAGER:
            runs.train_manager(asked, bars.show)
        elif name != RESULTS:
            runs.train_recipe(recipes.recipe(name), asked, start, bars.show)
        if name in (recipes.EVERYTHING, RESULTS):
            written = results.write(asked.out, asked.data, asked.base, asked.seed, bars.show)
            yield from results.table(written)
    yield f"written to {asked.out}"


def _fine_tune(name: str, asked: Run, start: Path | None, bars: Bars) -> None:
    if name == recipes.EVERYTHING:
        raise TrainingError(
            f"{name} makes the models that ship, with --scale {recipes.STARTER}; "
            f"train one recipe at a time with --scale {recipes.PAPER}"
        )
    with signals_to_stop() as wanted:
        if name == recipes.MANAGER:
            paper_runs.fine_tune_manager(asked, bars.show, wanted)
        else:
            paper_runs.fine_tune_recipe(recipes.recipe(name), asked, start, bars.show, wanted)


def _asked(options: Options) -> Run:
    name = options["recipe"]
    if options["from_scratch"] and _scale(options) != recipes.PAPER:
        raise TrainingError(f"--from-scratch trains all layers; add --scale {recipes.PAPER}")
    if options["start"] and (options["from_scratch"] or name == recipes.MANAGER):
        raise TrainingError("--from is for poly-encoders, and not with --from-scratch; leave it out")
    return Run(
        data=options["data"] or layout.STARTER,
        base=options["base"] or base_folder(),
        out=options["out"] or _default_out(name),
        seed=options["seed"],
        minutes=_positive("--max-minutes", options["max_minutes"]),
        examples=_positive("--max-examples", options["max_examples"]),
        changes=_changes(options),
        from_scratch=options["from_scratch"],
        restart=options["restart"],
        checkpoint_minutes=options["checkpoint_minutes"],
        precision=options["precision"],
    )


def _scale(options: Options) -> str:
    """The one that was asked for; the starter's for the starter corpus."""
    data = options["data"]
    ours = data is None or data.resolve() == layout.STARTER
    return options["scale"] or (recipes.STARTER if ours else recipes.PAPER)


def _changes(options: Options) -> dict[str, str]:
    """The values that were given, by name."""
    own = {name: options[name] for name in VALUES}  # type: ignore[literal-required]
    found = {name: str(value) for name, value in own.items() if value is not None}
    for given in options["set"]:
        name, equals, value = given.partition("=")
        if not equals:
            raise UnknownOption(f"--set {given}: NAME=VALUE is needed")
        found[name] = value
    return found


Number = TypeVar("Number", int | None, float)


def _positive(option: str, number: Number) -> Number:
    if number is not None and not number > 0:
        raise UnknownOption(f"{option} is {number}; it must be above 0")
    return number


def _default_out(name: str) -> Path:
    if name in (recipes.EVERYTHING, RESULTS):
        return WEIGHTS
    if name != recipes.MANAGER:
        recipes.recipe(name)
    raise TrainingError(f"name the folder for {name} with --out")


@contextmanager
def signals_to_stop() -> Iterator[Callable[[], bool]]:
    """Whether to go on: not after Ctrl-C or a termination, so that a run ends after its step; a second one kills."""
    caught: list[int] = []

    def catch(number: int, frame: FrameType | None) -> None:
        caught.append(number)
        signal.signal(number, before[number])

    before: dict[int, Any] = {
        int(number): signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)
    }
    for number in before:
        signal.signal(number, catch)
    try:
        yield lambda: not caught
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
