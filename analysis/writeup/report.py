"""The whole report, in the order in which it is read."""

from __future__ import annotations

from collections.abc import Iterator

from analysis.inference import Analysis
from analysis.version import code_version
from analysis.writeup.answer import answer
from analysis.writeup.differences import Pairs, differences_section
from analysis.writeup.document import Document, Value
from analysis.writeup.looks import looks_section
from analysis.writeup.means import best_section, distributions_section, means_section
from analysis.writeup.method import method_section
from analysis.writeup.planning import planning_section
from analysis.writeup.sensitivity import sensitivity_section
from analysis.writeup.wording import count, counted
from analysis.writeup.workers import covariates_section, exclusions_section, workers_section


def written(analysis: Analysis) -> Document:
    """Put an analysis into words, tables and figures."""
    pairs = Pairs.of(analysis)
    return Document(
        title=analysis.table.title,
        warning=analysis.table.population_sentence if analysis.table.simulated else "",
        answer=answer(analysis, pairs),
        facts=tuple(_facts(analysis)),
        sections=(
            means_section(analysis),
            best_section(analysis),
            differences_section(analysis, pairs),
            distributions_section(analysis),
            workers_section(analysis),
            covariates_section(analysis),
            exclusions_section(analysis),
            sensitivity_section(analysis),
            planning_section(analysis),
            *([looks_section(analysis, analysis.planned)] if analysis.planned else []),
            method_section(analysis),
        ),
    )


def _facts(analysis: Analysis) -> Iterator[tuple[str, str, Value]]:
    """Name for programs, words for people, value."""
    table, options, source = analysis.table, analysis.options, analysis.source
    rules = [
        f"{left.rule} ({counted(left.workers, 'worker')}, {counted(left.talks, 'talk')})"
        for left in analysis.left_out
    ]
    yield "source", "Ratings", source.name
    yield "collected", "Collected", "elsewhere" if source.collected_elsewhere else "by this site"
    yield "population", "Given by", "" if source.collected_elsewhere else table.population.value
    yield "ratings", "Number of ratings", int(analysis.cells.n.sum())
    yield "talks", "Talks", table.talks
    yield "workers", "Workers", table.workers
    yield "scale_low", "Scale from", options.scale.low
    yield "scale_high", "Scale to", options.scale.high
    yield "main_axis", "Axis of the answer", analysis.main
    yield "method", "Intervals", table.method
    yield "level", "Confidence level", options.level
    yield "replicates", "Draws of the bootstrap", options.replicates if table.method == "bootstrap" else None
    yield "seed", "Seed", options.seed
    yield "exclusions", "Rules of exclusion", "; ".join(rules) or "none given"
    yield "notes", "Notes", "; ".join(source.notes)
    yield "data_sha256", "Data (SHA-256)", table.sha256
    yield "code_version", "Code", code_version()


def fact_text(value: Value) -> str:
    """A fact's value for people; empty where there is nothing to say."""
    if value is None:
        return ""
    if isinstance(value, int):
        return count(value)
    return f"{value:g}" if isinstance(value, float) else str(value)
