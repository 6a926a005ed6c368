"""Results in the database: found again by what was asked of what, and stored once measured."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import timedelta
from typing import TypeVar

import numpy as np

from modelhub import registry
from modelhub.benchmarks.bootstrap import Difference, difference_by_dialogue
from modelhub.benchmarks.metrics import grouped, metrics
from modelhub.benchmarks.systems import System
from modelhub.benchmarks.tasks import SEED, Asked
from modelhub.benchmarks.version import code_version
from modelhub.models import BenchmarkResult, ProvenanceResult

log = logging.getLogger(__name__)
Result = TypeVar("Result", BenchmarkResult, ProvenanceResult)


def stored(kind: type[Result], system: System, asked: Asked) -> Result | None:
    """The latest result of these weights on these questions."""
    found = kind.objects.filter(questions_sha256=asked.sha256, revision=system.revision)
    if not system.revision:
        found = found.filter(weights_sha256=system.weights_sha256)
    return found.select_related("revision__model").last()


def store_ranks(system: System, asked: Asked, ranks: Sequence[int], seconds: float) -> BenchmarkResult:
    """Ranks in the order of the questions."""
    by_dialogue = grouped(asked.dialogues, ranks)
    found = metrics(by_dialogue)
    result = BenchmarkResult.objects.create(
        **_described(system, asked, seconds),
        candidates_kind=asked.candidates_kind,
        candidates=max(len(question.candidates) for question in asked.questions),
        hits_at_1=found.hits_at_1,
        hits_at_5=found.hits_at_5,
        hits_at_10=found.hits_at_10,
        mrr=found.mrr,
        standard_error=found.standard_error,
        ranks_by_dialogue=by_dialogue,
    )
    log.info(
        "benchmark stored",
        extra={"result": result.pk, "system": system.reference, "task": asked.task.value},
    )
    return result


def store_sources(system: System, asked: Asked, sources: Sequence[str], seconds: float) -> ProvenanceResult:
    """Each chosen utterance's data set, in the order of the questions."""
    names = sorted(set(sources))
    places = grouped(asked.dialogues, [names.index(source) for source in sources])
    result = ProvenanceResult.objects.create(
        **_described(system, asked, seconds), sources=names, sources_by_dialogue=places
    )
    log.info(
        "provenance stored",
        extra={"result": result.pk, "system": system.reference, "task": asked.task.value},
    )
    return result


def difference(pairs: Sequence[tuple[BenchmarkResult, BenchmarkResult]]) -> Difference:
    """hits@1 of the first of each pair minus the second's, the mean over pairs; both were asked the same.

    A paired bootstrap over dialogues (modelhub.benchmarks.bootstrap).
    """
    if any(ours.questions_sha256 != theirs.questions_sha256 for ours, theirs in pairs):
        raise ValueError("both models must have answered the same questions")
    return difference_by_dialogue(
        [(_hits(ours) - _hits(theirs), _counts(ours)) for ours, theirs in pairs], SEED
    )


def _hits(result: BenchmarkResult) -> np.ndarray:
    return np.array([sum(rank == 1 for rank in ranks) for ranks in result.ranks_by_dialogue], dtype=float)


def _counts(result: BenchmarkResult) -> np.ndarray:
    return np.array([len(ranks) for ranks in result.ranks_by_dialogue], dtype=float)


def _described(system: System, asked: Asked, seconds: float) -> dict[str, object]:
    """What all measurements say of themselves."""
    options = asked.options
    return {
        "revision": system.revision,
        "folder": system.folder,
        "name": system.name,
        "weights_sha256": system.weights_sha256,
        "task": asked.task.value,
        "split": asked.split,
        "options": {
            "mixed_candidates": options.mixed_candidates,
            "added_context": options.added_context,
            "max_examples": options.max_examples,
        },
        "seed": options.seed,
        "examples": len(asked.questions),
        "dialogues": len(set(asked.dialogues)),
        "data_folder": registry.stored_path(asked.folder),
        "data_sha256": asked.data_sha256,
        "questions_sha256": asked.sha256,
        "code_version": code_version(),
        "duration": timedelta(seconds=seconds),
    }
