"""The interval inside a table's cell."""

from __future__ import annotations

import math
from dataclasses import dataclass

from analysis.tables.table7 import Cell, Table7
from ratings.models import HIGHEST, LOWEST

#: The drawing inside a cell, in its own units.
MARK_WIDTH = 120


@dataclass(frozen=True, slots=True)
class Span:
    """The part of the scale that pictures show, so that all cells share it."""

    low: float
    high: float

    def x(self, value: float) -> float:
        """Where a value stands, in units of the cell's drawing."""
        return round((value - self.low) / (self.high - self.low) * MARK_WIDTH, 1)


@dataclass(frozen=True, slots=True)
class Mark:
    """The drawing inside a cell: a line from ``low`` to ``high`` and a point at ``mean``."""

    low: float
    high: float
    mean: float


def span(table: Table7) -> Span:
    """From the lowest to the highest limit or paper's mean, rounded outwards to half points."""
    values = [
        value for row in table.rows for cell in row.cells for value in (cell.low, cell.high, cell.paper)
    ]
    known = [value for value in values if value is not None]
    low, high = math.floor(min(known, default=LOWEST) * 2) / 2, math.ceil(max(known, default=HIGHEST) * 2) / 2
    return Span(low, high) if high > low else Span(LOWEST, HIGHEST)


def mark(cell: Cell, span: Span) -> Mark | None:
    """None where the cell has no interval."""
    if cell.mean is None or cell.low is None or cell.high is None:
        return None
    return Mark(low=span.x(cell.low), high=span.x(cell.high), mean=span.x(cell.mean))
