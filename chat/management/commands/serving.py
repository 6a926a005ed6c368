"""``manage.py serving``: what the page Serving shows."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand
from django.core.serializers.json import DjangoJSONEncoder

from chat.serving_board import Board, Cell, Table, board
from chat.serving_status import serving_status


class Command(BaseCommand):
    help = "Show workers, models, what they owe, how long replies take, and errors."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--format", choices=("text", "json"), default="text", help="(default: text)")
        parser.add_argument("--data", metavar="DIR", help="the site's data folder (read before settings)")

    def handle(self, *args: Any, **options: Any) -> None:
        status = serving_status()
        if options["format"] == "json":
            self.stdout.write(json.dumps(asdict(status), cls=DjangoJSONEncoder, indent=2))
        else:
            self.stdout.write("\n".join(text_of(board(status))))


def text_of(shown: Board) -> Iterable[str]:
    """Figures, then each table with its columns aligned."""
    yield f"Serving at {shown.at:%Y-%m-%d %H:%M:%S} UTC"
    yield ", ".join(f"{figure.label}: {figure.text}" for figure in shown.figures)
    for table in shown.tables:
        yield f"\n{table.title}: {table.caption}"
        yield from aligned(table) if table.rows else [f"  {table.empty}"]


def aligned(table: Table) -> Iterable[str]:
    lines = [[column.label for column in table.columns]]
    lines += [[words(cell) for cell in row.cells] for row in table.rows]
    widths = [max(len(line[place]) for line in lines) for place in range(len(table.columns))]
    return ("  " + "  ".join(padded(line, widths)).rstrip() for line in lines)


def padded(line: Sequence[str], widths: Sequence[int]) -> Iterable[str]:
    return (text.ljust(width) for text, width in zip(line, widths, strict=True))


def words(cell: Cell) -> str:
    return f"{cell.text} ({cell.note})" if cell.note else cell.text
