"""What ``manage.py benchmark`` does, apart from Django: choose tasks and systems, measure, say what came out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import TypedDict, Unpack

from modelhub.benchmarks import measuring, reports, store, systems
from modelhub.benchmarks.reports import Against
from modelhub.benchmarks.systems import System
from modelhub.benchmarks.tasks import SINGLE_SKILLS, Asked, Options, ask
from modelhub.datasets.layout import STARTER
from modelhub.dialogue import Skill
from modelhub.errors import ModelhubError
from modelhub.training.commands import Bars

ALL = "all"
OPTIONS = (
    "models tasks data split candidates mixed_candidates added_context seed max_examples against provenance again"
    " format"
).split()


class BenchmarkError(ModelhubError):
    """Options that do not go together."""

    code = "benchmark"


class Given(TypedDict):
    """The command line; None or 0 where an option was not given."""

    models: list[str]
    tasks: list[str] | None
    data: Path | None
    split: str
    candidates: int
    mixed_candidates: bool
    added_context: bool
    seed: int
    max_examples: int
    against: str | None
    provenance: bool
    again: bool
    format: str


def run(**given: Unpack[Given]) -> Iterator[str]:
    """Do it; yields lines for a person, or one document. Raises ModelhubError."""
    tasks, options = _tasks(given), _options(given)
    found = [systems.resolve(model) for model in given["models"]]
    folder = given["data"] or STARTER
    asked = [ask(task, folder, options) for task in tasks]
    write = reports.FORMATS[given["format"]]
    with Bars() as bars:
        if given["provenance"]:
            chosen = (measuring.choose(system, asked, given["again"], bars.show) for system in found)
            yield from write(reports.SHARES, chain.from_iterable(chosen), ())
        else:
            ranked = (measuring.rank(system, asked, given["again"], bars.show) for system in found)
            differences = _differences(found, asked, given["against"], bars)
            yield from write(reports.RANKS, chain.from_iterable(ranked), differences)


def _tasks(given: Given) -> list[Skill]:
    """Raises BenchmarkError for options that do not go together."""
    names = given["tasks"] or ([Skill.BST.value] if given["provenance"] else [])
    of_table_5 = given["mixed_candidates"] or given["added_context"]
    if not names:
        raise BenchmarkError("name a task with --task, or all of them: --task all")
    if given["provenance"] and (of_table_5 or given["against"]):
        raise BenchmarkError(
            "--provenance counts a model's own replies: leave out --mixed-candidates, --added-context and --against"
        )
    if ALL in names:
        return list(SINGLE_SKILLS if of_table_5 else Skill)
    if of_table_5 and Skill.BST in names:
        raise BenchmarkError(
            "--mixed-candidates and --added-context are for the single-skill tasks, not for bst (Table 5)"
        )
    return [skill for skill in Skill if skill in names]


def _options(given: Given) -> Options:
    if given["candidates"] == 1 or min(given["candidates"], given["max_examples"]) < 0:
        raise BenchmarkError("--candidates counts from 2, --max-examples from 1")
    return Options(
        split=given["split"],
        candidates=given["candidates"],
        mixed_candidates=given["mixed_candidates"],
        added_context=given["added_context"],
        seed=given["seed"],
        max_examples=given["max_examples"],
    )


def _differences(
    found: Sequence[System], asked: Sequence[Asked], against: str | None, bars: Bars
) -> Iterator[Against]:
    """Each system's to the other one, which is measured where it was not yet."""
    if against is None:
        return
    for system in found:
        other = systems.untrained(system) if against == systems.UNTRAINED else systems.resolve(against)
        # Measured just now, so the first of each pair is found in the store.
        ranked = [measuring.rank(each, asked, False, bars.show) for each in (system, other)]
        pairs = [(ours.result, theirs.result) for ours, theirs in zip(*ranked, strict=True)]
        by_task = tuple((theirs.task, store.difference([(ours, theirs)])) for ours, theirs in pairs)
        mean = store.difference(pairs) if len(pairs) > 1 else None
        yield Against(system.name, other.name, by_task, mean)
