"""``manage.py check_data --data DIR``: count what a folder of data sets holds, and name every malformed line."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from modelhub.datasets import inventory
from modelhub.errors import ModelhubError


class Command(BaseCommand):
    help = "Count dialogues and examples of every file, and name every malformed line."
    # Reading needs no database.
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--data", type=Path, help="folder of data sets (default: datasets in the site's data folder)"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        malformed = 0
        try:
            for found in inventory.inventory(options["data"] or settings.DATA_DIR / "datasets"):
                malformed += not found.is_good
                for line in inventory.lines(found):
                    self.stdout.write(line)
        except ModelhubError as error:
            raise CommandError(str(error)) from error
        if malformed:
            raise CommandError(
                f"{malformed} files have malformed lines; training and benchmarks refuse them: correct the lines, "
                "take them out, or fetch the files again"
            )
