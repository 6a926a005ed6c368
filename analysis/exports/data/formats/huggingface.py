"""A folder that the Hugging Face Hub and its library ``datasets`` take: Parquet in ``data``, and a card."""

from __future__ import annotations

import json
from collections.abc import Iterator

from django.db.models import Count

from analysis.exports.data.formats import parquet
from analysis.exports.data.job import Job
from analysis.exports.data.records.arms import arms_by_id
from analysis.exports.data.records.kind import Kind
from analysis.exports.data.schema import documented
from analysis.exports.markdown import escape
from analysis.reading.frames import Population
from analysis.version import code_version
from ratings.axes import QUESTIONS

CARD = "README.md"
#: The Hub's classes of sizes, by the number of rows of the largest configuration.
SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))
LARGEST = "1M<n<10M"
COLLECTED = {
    Population.PEOPLE: "People talked with a dialogue model without knowing which one, and rated the talk.",
    Population.SIMULATED: (
        "**Simulated data**: programs talked with dialogue models and rated the talks. "
        "It says nothing about the models."
    ),
}


def write(job: Job) -> None:
    """A configuration a kind; a kind without a record has none, since ``datasets`` loads no empty split."""
    parquet.library()
    for kind in job.kinds:
        job.records_part(data_file(kind), kind, parquet.write_file)
    job.text_part(CARD, card(job))


def data_file(kind: Kind) -> str:
    return f"data/{kind.name}.{parquet.ENDING}"


def card(job: Job) -> str:
    """The text of README.md, once the data is written."""
    counts = {kind.name: job.folder.parts[data_file(kind)].records for kind in job.kinds}
    return "\n".join(["---", *header(job, counts), "---", "", *_words(job, counts)]) + "\n"


def header(job: Job, counts: dict[str, int]) -> Iterator[str]:
    """The card's YAML. Texts are quoted as JSON quotes them, which YAML reads alike."""
    made_by = "machine-generated" if job.source.simulated else "crowdsourced"
    yield f"pretty_name: {json.dumps(job.source.study.title)}"
    yield "language:\n- en"
    yield f"license: {json.dumps(job.options.licence or 'unknown')}"
    yield f"annotations_creators:\n- {made_by}"
    yield f"language_creators:\n- {made_by}"
    yield "source_datasets:\n- original"
    yield f"size_categories:\n- {size_class(max(counts.values(), default=0))}"
    yield "task_categories:\n- text-generation"
    yield "tags:\n- dialogue\n- human-evaluation"
    filled = [kind for kind in _main_first(job.kinds) if counts[kind.name]]
    if filled:
        yield "configs:"
    for place, kind in enumerate(filled):
        yield f"- config_name: {kind.name}"
        if place == 0:
            yield "  default: true"
        yield f"  data_files:\n  - split: train\n    path: {data_file(kind)}"


def size_class(rows: int) -> str:
    return next((name for below, name in SIZES if rows < below), LARGEST)


def _main_first(kinds: tuple[Kind, ...]) -> list[Kind]:
    """Conversations are what one loads who names nothing."""
    return sorted(kinds, key=lambda kind: kind.name != "conversations")


def _words(job: Job, counts: dict[str, int]) -> Iterator[str]:
    study = job.source.study
    yield f"# {escape(study.title)}"
    yield ""
    yield f"{COLLECTED[job.source.population]} Collected with Colloquy, study `{study.slug}`."
    yield ""
    yield from _collection(job)
    yield ""
    yield from _statistics(job, counts)
    for kind in job.kinds:
        yield f"\n## {kind.name.capitalize()}\n\n{kind.about}\n\n| column | type | meaning |\n|---|---|---|"
        yield from documented(kind.fields)
    yield f"\nMade by code `{code_version()}`."


def _collection(job: Job) -> Iterator[str]:
    study, source = job.source.study, job.source
    left_out = "are among them, marked" if source.with_excluded else "are left out"
    yield "## How it was collected"
    yield ""
    yield (
        f"A talk begins with a seed context as BlendedSkillTalk's do (Smith et al. 2020) and has {study.min_turns} to "
        f"{study.max_turns} messages of the worker, at most {study.max_words} words each; a worker has at most "
        f"{study.conversations_per_worker} talks. Then come these questions, each answered from 1 to 5:"
    )
    yield ""
    yield from (f"- `{question.axis.value}`: {question.text}" for question in QUESTIONS)
    yield ""
    yield (
        f"Talks that were broken off are there too; `state` tells. Talks of excluded workers {left_out}. "
        f"{_identity(job)} What workers wrote stands as they wrote it and was not searched for personal data."
    )


def _identity(job: Job) -> str:
    if job.source.names.identified:
        return "Workers and talks go by the site's internal ids: **do not publish this folder.**"
    return "Workers and talks go by pseudonyms that hold for this study alone."


def _statistics(job: Job, counts: dict[str, int]) -> Iterator[str]:
    yield "## How much there is"
    yield ""
    yield "| configuration | rows |\n|---|--:|"
    yield from (f"| {name} | {number:,} |" for name, number in counts.items())
    yield ""
    yield "| model | talks | of these complete |\n|---|--:|--:|"
    talks = job.source.talks().order_by()
    rows = talks.values_list("arm_id", "state").annotate(Count("pk"))
    for arm, name in arms_by_id(job.source.study).items():
        of_arm = {state: number for other, state, number in rows if other == arm}
        yield f"| {escape(name.label)} | {sum(of_arm.values()):,} | {of_arm.get('complete', 0):,} |"
