"""What ``manage.py benchmark`` prints: lines for a terminal, a Markdown table, or JSON."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass

from modelhub.benchmarks.bootstrap import Difference
from modelhub.benchmarks.measuring import Outcome
from modelhub.benchmarks.metrics import clustered_error
from modelhub.benchmarks.version import code_version
from modelhub.models import BenchmarkResult, Measurement, ProvenanceResult

CLUSTERED = "Standard errors (in brackets) are clustered by dialogue."


@dataclass(frozen=True, slots=True)
class Against:
    """A system's hits@1 minus another's, task by task and, of several, their mean."""

    name: str
    other: str
    by_task: tuple[tuple[str, Difference], ...]
    mean: Difference | None


@dataclass(frozen=True, slots=True)
class Sheet:
    """One kind of measurement: its columns, their widths on a terminal, and a result's fields."""

    head: tuple[str, ...]
    widths: tuple[int, ...]
    note: str
    fields: Callable[[Outcome], tuple[str, ...]]
    record: Callable[[Outcome], dict[str, object]]


def text(sheet: Sheet, outcomes: Iterable[Outcome], differences: Iterable[Against]) -> Iterator[str]:
    """A line a result, as soon as it is there."""
    yield _aligned(sheet, sheet.head)
    for outcome in outcomes:
        yield _aligned(sheet, sheet.fields(outcome))
    yield sheet.note
    yield from map(_sentence, differences)


def markdown(sheet: Sheet, outcomes: Iterable[Outcome], differences: Iterable[Against]) -> Iterator[str]:
    """A table with a row a result, as soon as it is there."""
    yield f"| {' | '.join(sheet.head)} |"
    yield f"|{'---|' * len(sheet.head)}"
    for outcome in outcomes:
        yield f"| {' | '.join(field.replace('|', chr(92) + '|') for field in sheet.fields(outcome))} |"
    yield ""
    yield sheet.note
    for each in differences:
        yield ""
        yield _sentence(each)


def as_json(sheet: Sheet, outcomes: Iterable[Outcome], differences: Iterable[Against]) -> Iterator[str]:
    """One document, at the end."""
    results = [sheet.record(outcome) for outcome in outcomes]
    document = {"results": results, "differences": [asdict(each) for each in differences]}
    yield json.dumps(document, ensure_ascii=False, indent=2)


FORMATS = {"text": text, "markdown": markdown, "json": as_json}


def _aligned(sheet: Sheet, fields: Sequence[str]) -> str:
    return "  ".join(field.ljust(width) for field, width in zip(fields, sheet.widths, strict=True)).rstrip()


def _sentence(each: Against) -> str:
    tasks = [f"{task} {_interval(found)}" for task, found in each.by_task]
    mean = [f"mean {_interval(each.mean)}"] if each.mean else []
    return f"{each.name} against {each.other}, hits@1: {'; '.join(tasks + mean)}."


def _interval(found: Difference) -> str:
    """In points of a hundred, with the 95 % interval."""
    return f"{100 * found.value:+.1f} ({100 * found.lower:+.1f} to {100 * found.upper:+.1f})"


def _what(result: Measurement) -> tuple[str, ...]:
    split = result.split + (" (part)" if result.options["max_examples"] else "")
    name = result.reference if result.revision else result.name
    return name, result.task, split, str(result.examples), str(result.dialogues)


def _ranks(outcome: Outcome[BenchmarkResult]) -> tuple[str, ...]:
    result = outcome.result
    return (
        *_what(result),
        result.asked_text,
        _percent(result.hits_at_1, result.standard_error),
        _percent(result.hits_at_5),
        _percent(result.hits_at_10),
        f"{result.mrr:.3f}",
        _measured(outcome),
    )


def _shares(outcome: Outcome[ProvenanceResult]) -> tuple[str, ...]:
    shares = [
        f"{source} {_percent(share, error)}" for source, (share, error) in shares_of(outcome.result).items()
    ]
    return *_what(outcome.result), ", ".join(shares), _measured(outcome)


def shares_of(result: ProvenanceResult) -> dict[str, tuple[float, float | None]]:
    """Each source's share of the chosen utterances, with its standard error clustered by dialogue."""
    counts = [len(dialogue) for dialogue in result.sources_by_dialogue]
    found = {}
    for place, source in enumerate(result.sources):
        totals = [dialogue.count(place) for dialogue in result.sources_by_dialogue]
        found[source] = (sum(totals) / sum(counts), clustered_error(totals, counts))
    return found


def _percent(share: float, error: float | None = None) -> str:
    return f"{100 * share:.1f}" + ("" if error is None else f" ({100 * error:.1f})")


def _measured(outcome: Outcome) -> str:
    if outcome.fresh:
        return f"{outcome.result.duration.total_seconds():.1f} s"
    other = "" if outcome.result.code_version == code_version() else ", by other code"
    return f"stored {outcome.result.created_at:%Y-%m-%d}{other}"


def _record(outcome: Outcome) -> dict[str, object]:
    result = outcome.result
    return {
        "model": result.name,
        "reference": result.reference,
        "weights_sha256": result.weights_sha256,
        "task": result.task,
        "split": result.split,
        "examples": result.examples,
        "dialogues": result.dialogues,
        **result.options,
        "seed": result.seed,
        "data_folder": result.data_folder,
        "data_sha256": result.data_sha256,
        "questions_sha256": result.questions_sha256,
        "code_version": result.code_version,
        "measured_at": result.created_at.isoformat(timespec="seconds"),
        "duration_s": round(result.duration.total_seconds(), 3),
        "stored_before": not outcome.fresh,
    }


def _ranks_record(outcome: Outcome[BenchmarkResult]) -> dict[str, object]:
    result = outcome.result
    figures = ("hits_at_1", "hits_at_5", "hits_at_10", "mrr", "standard_error")
    return {
        **_record(outcome),
        "candidates": result.candidates,
        "candidates_kind": result.candidates_kind,
        **{name: getattr(result, name) for name in figures},
    }


def _shares_record(outcome: Outcome[ProvenanceResult]) -> dict[str, object]:
    shares = {
        source: {"share": share, "standard_error": error}
        for source, (share, error) in shares_of(outcome.result).items()
    }
    return {**_record(outcome), "shares": shares}


_WHAT = ("model", "task", "split", "examples", "dialogues")
RANKS = Sheet(
    (*_WHAT, "asked", "hits@1", "hits@5", "hits@10", "MRR", "measured"),
    (24, 7, 11, 8, 9, 44, 12, 6, 7, 5, 0),
    f"Per cent; ties count against the label. {CLUSTERED}",
    _ranks,
    _ranks_record,
)
SHARES = Sheet(
    (*_WHAT, "replies from", "measured"),
    (24, 7, 11, 8, 9, 48, 0),
    f"Per cent of the replies. {CLUSTERED}",
    _shares,
    _shares_record,
)
