"""The whole report as CSV: a file for each table, and ``about`` with what they were made of and how."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

from analysis.exports.csv import safe
from analysis.writeup.document import Document, Table, Value

#: Grows when a reader of the old form could misread the new one.
FORM = 1


def files(document: Document) -> dict[str, str]:
    """Texts by the names of their files. A table without rows has its first line, so that all are always there."""
    facts = {name: value for name, _, value in document.facts}
    about: list[tuple[Value, ...]] = [
        ("schema", f"colloquy.{document.kind}-csv/{FORM}"),
        ("title", document.title),
    ]
    about += [("answer", " ".join([f"{document.answer.title}.", *document.answer.sentences]))]
    about += list(facts.items())
    basis = (facts["data_sha256"], facts["code_version"])
    tables = {f"{table.name}.csv": _text(*_with_basis(table, basis)) for table in document.tables()}
    return {"about.csv": _text(("name", "value"), about), **tables}


def _with_basis(table: Table, basis: tuple[Value, ...]) -> tuple[Sequence[str], Iterable[tuple[Value, ...]]]:
    """Each line tells its data and its code: files are parted from one another."""
    return (*table.columns, "data_sha256", "code_version"), ((*row, *basis) for row in table.rows)


def _text(head: Sequence[str], rows: Iterable[tuple[Value, ...]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(head)
    writer.writerows([_field(value) for value in row] for row in rows)
    return text.getvalue()


def _field(value: Value) -> str:
    """Six decimals: more than ratings can carry, fewer than the last bits that machines disagree on."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return f"{value:.6f}"
    return safe(value) if isinstance(value, str) else str(value)
