"""``manage.py benchmark_tables``: print or write Tables 4, 5 and 6."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from analysis.benchmarks import benchmarks
from analysis.exports import BENCHMARK_FORMATS, benchmark_format_named
from analysis.management.table_command import TableCommand


class Command(TableCommand):
    help = "Tables 4, 5 and 6 of what manage.py benchmark has stored, beside the paper's figures."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--of", metavar="FOLDER", help="of data sets, or 'starter corpus' (default: measured on last)"
        )
        self.add_output_arguments(parser, [each.name for each in BENCHMARK_FORMATS])

    def handle(self, *args: Any, **options: Any) -> None:
        with self.errors_as_sentences():
            shown = benchmarks(options["of"])
        self.deliver(benchmark_format_named(options["format"]).render(shown), options["output"])
