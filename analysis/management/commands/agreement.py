"""``manage.py agreement``: whether annotators agree, of annotations that were made anywhere."""

from __future__ import annotations

import csv
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

from analysis.annotations import AgreementOptions, analyse_annotations
from analysis.exports.reports import REPORT_FORMATS, WHOLE_FORMATS
from analysis.management.report_folder import ALL, ReportCommand
from analysis.reading.annotations_file import read_annotations
from analysis.reading.csv_rows import shown
from analysis.statistics.agreement import REPLICATES, Metric
from analysis.statistics.means import LEVEL
from analysis.writeup.annotations import agreement_document


class Command(ReportCommand):
    help = (
        "Krippendorff's alpha, Fleiss' kappa and Cohen's of a CSV file of annotations, with limits; annotator by "
        "annotator, pair by pair and unit by unit. Printed as Markdown, or with --out written in every format."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--annotations",
            type=Path,
            required=True,
            metavar="FILE",
            help="a CSV file: annotator_id,unit_id,label, and question where there are several",
        )
        parser.add_argument(
            "--metric",
            default=Metric.NOMINAL.value,
            choices=[each.value for each in Metric],
            help="how far labels are apart (%(default)s)",
        )
        parser.add_argument(
            "--order", default="", metavar="A,B,C", help="the labels, the lowest first, where they are words"
        )
        parser.add_argument("--level", type=float, default=LEVEL, help="of the limits (%(default)s)")
        parser.add_argument("--seed", type=int, default=0, help="of the bootstrap (%(default)s)")
        parser.add_argument(
            "--replicates", type=int, default=REPLICATES, help="of the bootstrap (%(default)s)"
        )
        parser.add_argument("--title", default="", help="the report's title, instead of the file's name")
        parser.add_argument("--identified", action="store_true", help="call annotators by the file's ids")
        parser.add_argument("--out", type=Path, metavar="DIR", help="write the whole report into this folder")
        parser.add_argument(
            "--format",
            choices=[*WHOLE_FORMATS, ALL],
            help="with --out (all of them); without it Markdown is printed",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["format"] and not options["out"]:
            raise CommandError(f"--format {options['format']} goes with --out DIR.")
        wish = _options(options)
        path = options["annotations"]
        with self.errors_as_sentences():
            self.tell("reading")
            annotations = read_annotations(path)
            self.tell("comparing")
            analysis = analyse_annotations(annotations, shown(path.name), wish)
            document = agreement_document(analysis, options["title"], identified=options["identified"])
        if options["out"]:
            self.write_report(document, options["format"] or ALL, options["out"])
            return
        self.tell("")
        self.say(REPORT_FORMATS["markdown"](document)["agreement.md"], ending="")


def _options(options: dict[str, Any]) -> AgreementOptions:
    order = [label.strip() for label in next(csv.reader([options["order"]], skipinitialspace=True), [])]
    if len(set(order)) < len(order) or "" in order:
        raise CommandError(f"--order is {options['order']!r}; name each label once, such as low,middle,high.")
    try:
        return AgreementOptions(
            metric=Metric(options["metric"]),
            order=tuple(order),
            level=options["level"],
            seed=options["seed"],
            replicates=options["replicates"],
        )
    except ValueError as error:
        raise CommandError(f"{error}.") from error
