"""``manage.py report``: Table 7 of a study, or the whole analysis of a study or of a file of ratings."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

from analysis.exports import FORMATS, format_named
from analysis.exports.reports import WHOLE_FORMATS
from analysis.inference import Analysis
from analysis.management.report_folder import ALL, ReportCommand
from analysis.reading.ratings_frame import Population
from analysis.report import analysis_of_file, analysis_of_study, report_of, study_named
from analysis.statistics.bootstrap import REPLICATES
from analysis.statistics.interval_methods import IntervalOptions, Method
from analysis.statistics.means import LEVEL, PAPER_SCALE, Scale
from analysis.writeup.report import written

TABLE_FORMATS = tuple(each.name for each in FORMATS)
#: Options that mean nothing to the other kind of ratings.
FOR_FILES, FOR_STUDIES = ("scale", "exclusions", "title"), ("simulated", "with_excluded", "no_paper")


class Command(ReportCommand):
    help = (
        "With --out the whole analysis, of a study's ratings or of a CSV file of ratings that were collected "
        "elsewhere; without it a study's Table 7. Of people's ratings, or of simulated ones where there is nothing "
        "else."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        ratings = parser.add_mutually_exclusive_group(required=True)
        ratings.add_argument("--study", help="the study's name in addresses, such as table7")
        ratings.add_argument(
            "--ratings",
            type=Path,
            metavar="FILE",
            help="a CSV file: worker_id,model,conversation_id,axis,rating",
        )
        parser.add_argument("--simulated", action="store_true", help="of simulated workers' ratings")
        parser.add_argument(
            "--with-excluded", action="store_true", help="count the talks of excluded workers too"
        )
        parser.add_argument("--no-paper", action="store_true", help="without the paper's figures")
        parser.add_argument(
            "--out", type=Path, metavar="DIR", help="write the whole analysis into this folder"
        )
        parser.add_argument(
            "--format", choices=[*WHOLE_FORMATS, ALL], help="markdown by default, with --out all of them"
        )
        self.add_place_arguments(parser)
        self._add_options(parser)

    def _add_options(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--scale", type=float, nargs=2, metavar=("LOW", "HIGH"), help="the ends of the file's scale (1 5)"
        )
        parser.add_argument("--title", default="", help="the report's title, instead of the file's name")
        parser.add_argument(
            "--main-axis", default="", metavar="AXIS", help="what the answer is about (overall)"
        )
        parser.add_argument("--exclusions", type=Path, metavar="FILE", help="a CSV file: worker_id,rule")
        parser.add_argument(
            "--method", default=Method.WILSON_CR2.value, choices=[each.value for each in Method]
        )
        parser.add_argument("--level", type=float, default=LEVEL, help="of the intervals (%(default)s)")
        parser.add_argument("--seed", type=int, default=0, help="of the bootstrap (%(default)s)")
        parser.add_argument(
            "--replicates", type=int, default=REPLICATES, help="of the bootstrap (%(default)s)"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        self._refuse_what_does_not_go_together(options)
        wish = _interval_options(options)
        if options["out"]:
            self._write_whole(options, wish)
            return
        population = Population.SIMULATED if options["simulated"] else None
        with self.errors_as_sentences():
            table = report_of(study_named(options["study"]), population, wish, **_of_studies(options))
        self.deliver(format_named(options["format"] or "markdown").render(table), options["output"])

    def _refuse_what_does_not_go_together(self, options: dict[str, Any]) -> None:
        if options["out"] and options["output"]:
            raise CommandError(
                "--out and --output exclude each other: a folder for all, or a file for Table 7."
            )
        if not options["out"] and options["ratings"]:
            raise CommandError("Say where the report goes: --out DIR.")
        if not options["out"] and options["format"] not in (None, *TABLE_FORMATS):
            raise CommandError(f"--format {options['format']} goes with --out DIR.")
        alone = FOR_STUDIES if options["ratings"] else FOR_FILES
        for name in alone:
            if options[name]:
                other = "ratings" if options["ratings"] else "study"
                raise CommandError(f"--{name.replace('_', '-')} does not go with --{other}.")

    def _write_whole(self, options: dict[str, Any], wish: IntervalOptions) -> None:
        with self.errors_as_sentences():
            document = written(self._analysis(options, wish))
        self.write_report(document, options["format"] or ALL, options["out"])

    def _analysis(self, options: dict[str, Any], wish: IntervalOptions) -> Analysis:
        main = options["main_axis"]
        if options["ratings"]:
            return analysis_of_file(
                options["ratings"],
                wish,
                title=options["title"],
                main=main,
                exclusions=options["exclusions"],
                tell=self.tell,
            )
        return analysis_of_study(
            study_named(options["study"]),
            Population.SIMULATED if options["simulated"] else None,
            wish,
            main=main,
            tell=self.tell,
            **_of_studies(options),
        )


def _of_studies(options: dict[str, Any]) -> dict[str, bool]:
    return {"with_excluded": options["with_excluded"], "with_paper": not options["no_paper"]}


def _interval_options(options: dict[str, Any]) -> IntervalOptions:
    try:
        return IntervalOptions(
            method=Method(options["method"]),
            scale=Scale(*options["scale"]) if options["scale"] else PAPER_SCALE,
            level=options["level"],
            seed=options["seed"],
            replicates=options["replicates"],
        )
    except ValueError as error:
        raise CommandError(f"{error}.") from error
