"""Table 7 as CSV: one line a model and axis."""

from __future__ import annotations

import csv
import io

from analysis.tables.table7 import Cell, Row, Table7
from analysis.version import code_version
from ratings.spreadsheet import safe

COLUMNS = (
    "study",
    "population",
    "model",
    "axis",
    "n",
    "workers",
    "mean",
    "low",
    "high",
    "bold",
    "paper_mean",
    "note",
    "method",
    "data_sha256",
    "code_version",
)


def render(table: Table7) -> str:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    for row in table.rows:
        writer.writerows(_line(table, row, cell) for cell in row.cells)
    return text.getvalue()


def _line(table: Table7, row: Row, cell: Cell) -> list[object]:
    return [
        safe(table.study),
        table.population.value,
        safe(row.model),
        cell.axis,
        cell.n,
        cell.workers,
        _figure(cell.mean),
        _figure(cell.low),
        _figure(cell.high),
        str(cell.bold).lower(),
        "" if cell.paper is None else cell.paper,
        cell.why,
        table.method,
        table.sha256,
        code_version(),
    ]


def _figure(value: float | None) -> str:
    """Six decimals: more than ratings can carry, fewer than the last bits that machines disagree on."""
    return "" if value is None else f"{value:.6f}"
