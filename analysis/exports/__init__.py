"""Table 7 as files. The same data gives the same bytes; simulated data says so in every format."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from analysis.errors import UnknownFormat
from analysis.exports import csv, json, latex, markdown
from analysis.tables.table7 import Table7


@dataclass(frozen=True, slots=True)
class Format:
    """A file format: its name for commands, its file ending, its media type and what writes it."""

    name: str
    label: str
    ending: str
    media_type: str
    render: Callable[[Table7], str]


FORMATS = (
    Format("markdown", "Markdown", "md", "text/markdown; charset=utf-8", markdown.render),
    Format("csv", "CSV", "csv", "text/csv; charset=utf-8", csv.render),
    Format("latex", "LaTeX", "tex", "application/x-tex; charset=utf-8", latex.render),
    Format("json", "JSON", "json", "application/json", json.render),
)


def format_named(name: str) -> Format:
    """A format by its name or its file ending."""
    for each in FORMATS:
        if name in (each.name, each.ending):
            return each
    raise UnknownFormat(f"There is no format {name!r}; known: {', '.join(each.name for each in FORMATS)}.")
