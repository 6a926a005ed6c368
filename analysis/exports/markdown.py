"""Table 7 as Markdown, for a terminal or a README."""

from __future__ import annotations

import re

from analysis.tables.headline import headline
from analysis.tables.table7 import BOLD_SENTENCE, Cell, Row, Table7
from analysis.version import code_version

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~$&])")
#: What makes an item of a list of the line that it begins.
_ITEM = re.compile(r"^(\d{0,9})([-+.)])(?= |$)")


def render(table: Table7) -> str:
    said = headline(table)
    mark = " (simulated data)" if table.simulated else ""
    warning = [f"> **{table.population_sentence}**", ""] if table.simulated else []
    lines = [
        f"# Table 7: {escape(table.title)}{mark}",
        "",
        *warning,
        f"**{escape(said.title)}.** {escape(said.detail)}",
        "",
        *_grid(table),
        "",
        " ".join(_notes(table)),
        "",
        f"{table.talks} talks by {table.workers} workers. "
        f"Data sha256 `{table.sha256}`, code `{code_version()}`.",
    ]
    return "\n".join(lines) + "\n"


def escape(text: str) -> str:
    """Text that Markdown shows as it stands, on one line."""
    return _ITEM.sub(r"\1\\\2", _SPECIAL.sub(r"\\\1", " ".join(text.split())))


def _notes(table: Table7) -> list[str]:
    paper = ["The paper's own mean stands in brackets."] if table.compared else []
    people = [] if table.simulated else [table.population_sentence]
    return [table.method_sentence, BOLD_SENTENCE, *paper, *people]


def _grid(table: Table7) -> list[str]:
    head = ["Model", "Talks", *(axis.label for axis in table.axes)]
    rules = ["---", "--:", *(":-:" for _ in table.axes)]
    return [_joined(head), _joined(rules), *(_joined(_fields(row)) for row in table.rows)]


def _fields(row: Row) -> list[str]:
    return [escape(row.model), str(row.talks), *(_cell(cell) for cell in row.cells)]


def _cell(cell: Cell) -> str:
    mean = f"**{cell.mean_text}**" if cell.bold else cell.mean_text
    paper = f"[{cell.paper:.1f}]" if cell.paper is not None else ""
    return " ".join(filter(None, [mean, cell.interval_text or f"({cell.why})", paper]))


def _joined(fields: list[str]) -> str:
    return f"| {' | '.join(fields)} |"
