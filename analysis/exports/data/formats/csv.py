"""Records as CSV: UTF-8, a header, a line a record, safe to open in a spreadsheet.

Rows, lists and JSON stand in one cell as JSON; the messages of talks have a file of their own. Null is an empty cell. A
text that a spreadsheet would take for a formula, or that looks as if it had been treated so already, gets an apostrophe
before it; the reader takes it away again.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any

from analysis.errors import ExportRefused
from analysis.exports.data.job import Job
from analysis.exports.data.records import kind_of
from analysis.exports.data.records.kind import Kind
from analysis.exports.data.schema import Field, Record, Type
from ratings.spreadsheet import FORMULA_STARTS

ENDING = "csv"
_LIKE_A_FORMULA = re.compile(f"'* *[{re.escape(''.join(FORMULA_STARTS))}]")
#: A cell holds a whole message, or a finding's places; Python's own limit is 128 KiB.
LONGEST_CELL = 1 << 26


def write(job: Job) -> None:
    """A file a kind, and one for the rows that have a table of their own."""
    for kind in job.kinds:
        job.parts(files_of(kind), partial(_write_kind, job, kind))


def _write_kind(job: Job, kind: Kind, paths: Sequence[Path]) -> list[int]:
    return write_files(paths, kind, job.records(kind))


def files_of(kind: Kind) -> list[str]:
    """``conversations.csv``, ``messages.csv``."""
    return [f"{name}.{ENDING}" for name in filter(None, [kind.name, kind.table])]


def write_files(paths: Sequence[Path], kind: Kind, records: Iterable[Record]) -> list[int]:
    """How many lines were written into each."""
    counts = [0] * len(paths)
    with ExitStack() as stack:
        files = [stack.enter_context(path.open("w", encoding="utf-8", newline="")) for path in paths]
        writers = [csv.writer(file) for file in files]
        for writer, columns in zip(writers, _columns(kind), strict=True):
            writer.writerow(["schema", *columns])
        for record in records:
            writers[0].writerow([kind.schema, *_cells(record, _own(kind))])
            counts[0] += 1
            for row in record[kind.table] if kind.table else ():
                cells = [kind.schema, record[kind.key], *_cells(row, kind.field(kind.table).fields)]
                writers[1].writerow(cells)
                counts[1] += 1
    return counts


def neutral(text: str) -> str:
    """The text as a cell that no spreadsheet runs."""
    return f"'{text}" if _LIKE_A_FORMULA.match(text) else text


def restored(cell: str) -> str:
    """What ``neutral`` was given."""
    return cell[1:] if cell.startswith("'") and _LIKE_A_FORMULA.match(cell[1:]) else cell


def read_csv(paths: Sequence[Path]) -> Iterator[Record]:
    """The records of a kind's files, in the order of ``files_of``. Raises ExportRefused for what is no such file."""
    with ExitStack() as stack:
        lines = [_lines(path, stack) for path in paths]
        headers = [next(each, []) for each in lines]
        first = next(lines[0], None)
        if first is None:
            return
        kind = kind_of(first[0])
        if headers != [["schema", *columns] for columns in _columns(kind)]:
            raise ExportRefused(f"{paths[0]}: its columns are not those of {kind.schema}. Export it again.")
        rows = _Rows(kind, lines[1]) if kind.table else None
        for line in chain([first], lines[0]):
            record = _record(line[1:], _own(kind))
            if rows:
                record[kind.table] = rows.of(line[1])
            yield {field.name: record[field.name] for field in kind.fields}


class _Rows:
    """The rows of a second file, which stand in the order of the records that they belong to."""

    def __init__(self, kind: Kind, lines: Iterator[list[str]]) -> None:
        self._fields, self._lines = kind.field(kind.table).fields, lines
        self._next = next(lines, None)

    def of(self, key: str) -> list[Record]:
        found = []
        while self._next is not None and self._next[1] == key:
            found.append(_record(self._next[2:], self._fields))
            self._next = next(self._lines, None)
        return found


def _lines(path: Path, stack: ExitStack) -> Iterator[list[str]]:
    csv.field_size_limit(LONGEST_CELL)
    return csv.reader(stack.enter_context(path.open(encoding="utf-8", newline="")))


def _own(kind: Kind) -> list[Field]:
    return [field for field in kind.fields if field.name != kind.table]


def _columns(kind: Kind) -> list[list[str]]:
    """The columns of each file behind the schema's."""
    columns = [[field.name for field in _own(kind)]]
    if kind.table:
        columns.append([kind.key, *(field.name for field in kind.field(kind.table).fields)])
    return columns


def _cells(record: Mapping[str, Any], fields: Iterable[Field]) -> list[object]:
    return ["" if (value := record[field.name]) is None else _WRITE[field.type](value) for field in fields]


def _record(cells: Sequence[str], fields: Iterable[Field]) -> Record:
    return {
        field.name: None if field.optional and not cell else _READ[field.type](cell)
        for field, cell in zip(fields, cells, strict=True)
    }


def _as_json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


_WRITE: Mapping[Type, Callable[[Any], object]] = {
    Type.TEXT: neutral,
    Type.TIME: str,
    Type.WHOLE: int,
    Type.NUMBER: repr,
    Type.FLAG: lambda value: "true" if value else "false",
    Type.TEXTS: _as_json,
    Type.ROW: _as_json,
    Type.ROWS: _as_json,
    Type.JSON: _as_json,
}
_READ: Mapping[Type, Callable[[str], Any]] = {
    Type.TEXT: restored,
    Type.TIME: str,
    Type.WHOLE: int,
    Type.NUMBER: float,
    Type.FLAG: lambda cell: cell == "true",
    Type.TEXTS: json.loads,
    Type.ROW: json.loads,
    Type.ROWS: json.loads,
    Type.JSON: json.loads,
}
