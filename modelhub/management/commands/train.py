"""Train a model of Table 7, or all of them: ``manage.py train all`` makes the weights that ship with the project."""

from __future__ import annotations

import math
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from modelhub.errors import ModelhubError


class Command(BaseCommand):
    help = "Train a model from a folder of data sets; without --data from the corpus that comes with the project."
    # Training needs no database.
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "recipe",
            help="convai2, wow, ed, bst, mt-single-skills, mt-single-skills-bst, manager, or all of them: all. "
            "results: measure the models in --out again",
        )
        parser.add_argument("--data", type=Path, help="folder of data sets in their official files")
        parser.add_argument(
            "--base", type=Path, help="folder of a BERT encoder (default: the setting BASE_ENCODER)"
        )
        parser.add_argument("--out", type=Path, help="folder to write (default for all: the shipped weights)")
        parser.add_argument("--from", type=Path, dest="start", help="folder of the model to start from")
        parser.add_argument("--seed", type=int, default=1)
        parser.add_argument("--max-minutes", type=float, default=math.inf, help="bound of each training")
        parser.add_argument(
            "--threads", type=int, default=2, help="CPU threads (another number rounds differently)"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        # torch takes seconds to import: only this command pays for it.
        from modelhub.training import commands

        try:
            for line in commands.run(**{name: options[name] for name in commands.OPTIONS}):
                self.stdout.write(line)
        except ModelhubError as error:
            raise CommandError(str(error)) from error
