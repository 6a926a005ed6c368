"""``manage.py report``: print or write Table 7 of a study."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError

from analysis.errors import AnalysisError
from analysis.exports import FORMATS, format_named
from analysis.frames import Population
from analysis.report import report_of, study_named


class Command(BaseCommand):
    help = "Table 7 of a study: of people's ratings, or of simulated ones where there is nothing else."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--study", required=True, help="the study's name in addresses, such as table7")
        parser.add_argument("--format", default="markdown", choices=[each.name for each in FORMATS])
        parser.add_argument("--simulated", action="store_true", help="of simulated workers' ratings")
        parser.add_argument("--output", type=Path, metavar="FILE", help="write there instead of printing")
        parser.add_argument("--data", metavar="DIR", help="the site's data folder (read before settings)")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            study = study_named(options["study"])
        except AnalysisError as error:
            raise CommandError(str(error)) from error
        except DatabaseError as error:
            where = f"The database of {settings.DATA_DIR} cannot be read ({error})."
            raise CommandError(
                f"{where} Start the site once with bin/up, or name its folder by --data."
            ) from error
        wish = Population.SIMULATED if options["simulated"] else None
        text = format_named(options["format"]).render(report_of(study, wish))
        self._deliver(text, options["output"])

    def _deliver(self, text: str, path: Path | None) -> None:
        if path is None:
            self.stdout.write(text, ending="")
            return
        try:
            path.write_text(text, encoding="utf-8")
        except OSError as error:
            raise CommandError(f"Cannot write {path}: {error.strerror}.") from error
        self.stderr.write(f"Wrote {path}.")
