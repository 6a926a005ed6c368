"""Table 7 as JSON, with everything that says how it was made."""

from __future__ import annotations

import json

from analysis.tables.headline import headline
from analysis.tables.table7 import BOLD_SENTENCE, Cell, Row, Table7
from analysis.version import code_version

#: Grows when a reader of the old form could misread the new one.
SCHEMA = "colloquy.table7/1"


def render(table: Table7) -> str:
    said = headline(table)
    document = {
        "schema": SCHEMA,
        "study": table.study,
        "title": table.title,
        "population": table.population.value,
        "simulated": table.simulated,
        "note": table.population_sentence,
        "headline": {"title": said.title, "detail": said.detail},
        "method": {
            "name": table.method,
            "level": table.options.level,
            "text": table.method_sentence,
            "bold": BOLD_SENTENCE,
        },
        "talks": table.talks,
        "workers": table.workers,
        "data_sha256": table.sha256,
        "code_version": code_version(),
        "axes": [{"name": axis.value, "label": axis.label} for axis in table.axes],
        "rows": [_row(row) for row in table.rows],
    }
    return json.dumps(document, ensure_ascii=False, indent=2) + "\n"


def _row(row: Row) -> dict[str, object]:
    return {"model": row.model, "talks": row.talks, "cells": [_cell(cell) for cell in row.cells]}


def _cell(cell: Cell) -> dict[str, object]:
    return {
        "axis": cell.axis,
        "n": cell.n,
        "workers": cell.workers,
        "mean": _figure(cell.mean),
        "low": _figure(cell.low),
        "high": _figure(cell.high),
        "bold": cell.bold,
        "paper_mean": cell.paper,
        "no_interval": cell.gap.value or None,
    }


def _figure(value: float | None) -> float | None:
    """Ten decimals: the last bits may differ between machines."""
    return None if value is None else round(value, 10)
