"""``manage.py export --study S --out DIR``: everything that a study collected, as files."""

from __future__ import annotations

import getpass
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

from analysis.exports.data import FORMS, KINDS, Exported, Identification, Options, export, form_named, pack
from analysis.management.table_command import TableCommand
from analysis.reading.frames import Population
from analysis.report import study_named
from chat.models import Study


class Command(TableCommand):
    help = (
        "Write what a study collected into a folder: of people, or of simulated workers where there is nothing else. "
        "Under pseudonyms, unless told otherwise. Run it again after it was broken off, and it goes on."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        kinds = ",".join(kind.name for kind in KINDS)
        parser.add_argument("--study", required=True, help="the study's name in addresses, such as table7")
        parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="a new or an empty folder")
        parser.add_argument("--format", default="jsonl", choices=[form.name for form in FORMS])
        parser.add_argument("--what", default="all", metavar="KINDS", help=f"all, or some of {kinds}")
        parser.add_argument("--simulated", action="store_true", help="of simulated workers, not of people")
        parser.add_argument(
            "--with-excluded", action="store_true", help="talks of excluded workers too, marked as such"
        )
        parser.add_argument(
            "--identified", action="store_true", help="internal ids in place of pseudonyms; needs --reason"
        )
        parser.add_argument("--reason", default="", help="why internal ids are needed; it is logged")
        parser.add_argument(
            "--licence", default="", help="for the card of a Hugging Face folder, such as cc-by-4.0"
        )
        parser.add_argument("--weights", action="store_true", help="put the models' files into a bundle")
        parser.add_argument("--archive", action="store_true", help="also write DIR.tar.gz")
        parser.add_argument("--data", metavar="DIR", help="the site's data folder (read before settings)")

    def handle(self, *args: Any, **options: Any) -> None:
        self.check_options(options)
        with self.errors_as_sentences():
            try:
                done = self.export(study_named(options["study"]), options)
                archive = self.archive(done.folder) if options["archive"] else None
            except OSError as error:
                raise CommandError(f"Cannot write {options['out']}: {error.strerror}.") from error
        if sys.stderr.isatty():
            self.stderr.write("")
        self.say(f"{done.folder}: {done.form.label} of {done.population}, {done.bytes / 1e6:.1f} MB")
        for name, part in sorted(done.parts.items()):
            records = f", {part.records} records" if part.records else ""
            files = f", {part.files} files" if part.files > 1 else ""
            self.say(f"  {name}: {part.bytes / 1e6:.2f} MB{records}{files}")
        if archive:
            self.say(f"{archive}: {archive.stat().st_size / 1e6:.1f} MB")

    def check_options(self, options: dict[str, Any]) -> None:
        """Options that would be passed over without a word."""
        form = options["format"]
        if options["reason"] and not options["identified"]:
            raise CommandError(
                "--reason says why internal ids are needed: give --identified too, or leave it away."
            )
        if options["licence"] and form != "huggingface":
            raise CommandError(f"--licence goes into the card of --format huggingface; {form} has none.")
        if options["weights"] and form != "bundle":
            raise CommandError(f"--weights go into --format bundle; {form} holds none.")

    def export(self, study: Study, options: dict[str, Any]) -> Exported:
        return export(
            study,
            options["out"],
            form=form_named(options["format"]).name,
            what=[name.strip() for name in options["what"].split(",")],
            population=Population.SIMULATED if options["simulated"] else None,
            with_excluded=options["with_excluded"],
            identification=(
                Identification(getpass.getuser(), options["reason"]) if options["identified"] else None
            ),
            options=Options(licence=options["licence"], weights=options["weights"]),
            on_progress=self.tell,
        )

    def archive(self, folder: Path) -> Path:
        return pack(folder, folder.resolve().with_name(f"{folder.resolve().name}.tar.gz"))

    def tell(self, what: str, done: int) -> None:
        """How far it is, on a terminal."""
        if sys.stderr.isatty():
            self.stderr.write(f"\r{done} {what} ", ending="")
            self.stderr.flush()
