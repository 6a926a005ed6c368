"""Measure a system on tasks, one after another; each result is stored as soon as it is there."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from modelhub.benchmarks import provenance, ranking, store
from modelhub.benchmarks.systems import System
from modelhub.benchmarks.tasks import Asked
from modelhub.models import BenchmarkResult, ProvenanceResult
from modelhub.progress import Progress

Result = TypeVar("Result", BenchmarkResult, ProvenanceResult)
Loaded = TypeVar("Loaded")


@dataclass(frozen=True, slots=True)
class Outcome(Generic[Result]):
    """A result; ``fresh`` when it was measured now, not found."""

    result: Result
    fresh: bool


def rank(
    system: System, tasks: Sequence[Asked], again: bool, progress: Progress
) -> Iterator[Outcome[BenchmarkResult]]:
    """hits@k and MRR on each task. What is stored is not measured again, unless ``again``."""
    ranker = _once(system.ranker)

    def measured(asked: Asked) -> BenchmarkResult:
        begun = time.monotonic()
        ranks = ranking.ranks(ranker(), asked.questions, progress=_named(progress, system, asked))
        return store.store_ranks(system, asked, ranks, time.monotonic() - begun)

    return _outcomes(BenchmarkResult, system, tasks, again, measured)


def choose(
    system: System, tasks: Sequence[Asked], again: bool, progress: Progress
) -> Iterator[Outcome[ProvenanceResult]]:
    """The data sets that its replies come from, on each task; otherwise as ``rank``."""
    agent = _once(system.agent)

    def measured(asked: Asked) -> ProvenanceResult:
        begun = time.monotonic()
        sources = provenance.sources(agent(), asked.questions, _named(progress, system, asked))
        return store.store_sources(system, asked, sources, time.monotonic() - begun)

    return _outcomes(ProvenanceResult, system, tasks, again, measured)


def _outcomes(
    kind: type[Result],
    system: System,
    tasks: Sequence[Asked],
    again: bool,
    measured: Callable[[Asked], Result],
) -> Iterator[Outcome[Result]]:
    """What is stored of each task, or what is measured now."""
    for asked in tasks:
        found = None if again else store.stored(kind, system, asked)
        yield Outcome(found, fresh=False) if found else Outcome(measured(asked), fresh=True)


def _once(load: Callable[[], Loaded]) -> Callable[[], Loaded]:
    """Loads when it is first asked, and never where everything is stored."""
    loaded: list[Loaded] = []

    def get() -> Loaded:
        if not loaded:
            loaded.append(load())
        return loaded[0]

    return get


def _named(progress: Progress, system: System, asked: Asked) -> Progress:
    return lambda what, done, total: progress(f"{system.name}, {asked.task.value}: {what}", done, total)
