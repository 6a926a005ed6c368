"""Tables as files. The same data gives the same bytes; simulated data says so in every format."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from analysis.benchmarks import Benchmarks
from analysis.errors import UnknownFormat
from analysis.exports import benchmarks, csv, json, latex, markdown, quality
from analysis.quality_report import QualityReport
from analysis.tables.table7 import Table7

Shown = TypeVar("Shown")


@dataclass(frozen=True, slots=True)
class Format(Generic[Shown]):
    """A file format: its name for commands, its file ending, its media type and what writes it."""

    name: str
    label: str
    ending: str
    media_type: str
    render: Callable[[Shown], str]


def _formats(
    as_markdown: Callable[[Shown], str],
    as_csv: Callable[[Shown], str],
    as_latex: Callable[[Shown], str],
    as_json: Callable[[Shown], str],
) -> tuple[Format[Shown], ...]:
    return (
        Format("markdown", "Markdown", "md", "text/markdown; charset=utf-8", as_markdown),
        Format("csv", "CSV", "csv", "text/csv; charset=utf-8", as_csv),
        Format("latex", "LaTeX", "tex", "application/x-tex; charset=utf-8", as_latex),
        Format("json", "JSON", "json", "application/json", as_json),
    )


FORMATS: tuple[Format[Table7], ...] = _formats(markdown.render, csv.render, latex.render, json.render)
#: Tables 4, 5 and 6 together.
BENCHMARK_FORMATS: tuple[Format[Benchmarks], ...] = _formats(
    benchmarks.as_markdown, benchmarks.as_csv, benchmarks.as_latex, benchmarks.as_json
)
#: What is known about a study's workers.
QUALITY_FORMATS: tuple[Format[QualityReport], ...] = (
    Format("markdown", "Markdown", "md", "text/markdown; charset=utf-8", quality.as_markdown),
    Format("csv", "CSV", "csv", "text/csv; charset=utf-8", quality.as_csv),
    Format("json", "JSON", "json", "application/json", quality.as_json),
)


def format_named(name: str) -> Format[Table7]:
    """Table 7's format of this name or file ending. Raises UnknownFormat."""
    return _named(name, FORMATS)


def benchmark_format_named(name: str) -> Format[Benchmarks]:
    """The format of Tables 4, 5 and 6 of this name or file ending. Raises UnknownFormat."""
    return _named(name, BENCHMARK_FORMATS)


def _named(name: str, among: tuple[Format[Shown], ...]) -> Format[Shown]:
    for each in among:
        if name in (each.name, each.ending):
            return each
    raise UnknownFormat(f"There is no format {name!r}; known: {', '.join(each.name for each in among)}.")
