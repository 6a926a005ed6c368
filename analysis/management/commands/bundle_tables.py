"""``manage.py bundle_tables --bundle DIR``: the tables of a frozen study, made again from it. No database is read."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

from analysis.exports import FORMATS, format_named
from analysis.exports.data import Remaking, remake
from analysis.management.table_command import TableCommand
from analysis.version import code_version


class Command(TableCommand):
    help = "Verify a frozen study (manage.py export --format bundle, a folder or .tar.gz) and make its Table 7 again."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--bundle", type=Path, required=True, metavar="DIR", help="a folder, or a .tar.gz"
        )
        parser.add_argument("--out", type=Path, metavar="DIR", help="write the table in every format there")
        self.add_output_arguments(parser, [each.name for each in FORMATS])

    def handle(self, *args: Any, **options: Any) -> None:
        with self.errors_as_sentences():
            remaking = remake(options["bundle"])
        if options["out"]:
            self.write_all(remaking, options["out"])
        else:
            ending = format_named(options["format"]).ending
            text = next(table.text for table in remaking.tables if table.name.endswith(f".{ending}"))
            self.deliver(text, options["output"])
        self.judge(remaking)

    def write_all(self, remaking: Remaking, folder: Path) -> None:
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise CommandError(f"Cannot write {folder}: {error.strerror}.") from error
        for table in remaking.tables:
            self.deliver(table.text, folder / table.name)

    def judge(self, remaking: Remaking) -> None:
        """Say whether they are the tables that the bundle holds. Raises CommandError where they are not."""
        code = (
            "" if remaking.same_code else f", made by code {remaking.made_by} then and {code_version()} now"
        )
        if remaking.differing:
            names = ", ".join(remaking.differing)
            raise CommandError(
                f"The files of {remaking.study} are whole, but {names} came out otherwise than the bundle holds{code}. "
                "Install the code and the packages that code/version.json names."
            )
        self.stderr.write(f"{remaking.files} files verified; the tables are the same as the bundle's{code}.")
