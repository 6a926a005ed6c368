"""``manage.py report``: print or write Table 7 of a study."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from analysis.exports import FORMATS, format_named
from analysis.frames import Population
from analysis.management.table_command import TableCommand
from analysis.report import report_of, study_named


class Command(TableCommand):
    help = "Table 7 of a study: of people's ratings, or of simulated ones where there is nothing else."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--study", required=True, help="the study's name in addresses, such as table7")
        parser.add_argument("--simulated", action="store_true", help="of simulated workers' ratings")
        self.add_output_arguments(parser, FORMATS)

    def handle(self, *args: Any, **options: Any) -> None:
        wish = Population.SIMULATED if options["simulated"] else None
        with self.errors_as_sentences():
            report = report_of(study_named(options["study"]), wish)
        self.deliver(format_named(options["format"]).render(report), options["output"])
