"""Measure the safety classifier on labelled utterances, and print Markdown."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from modelhub.errors import ModelhubError


class Command(BaseCommand):
    help = "Precision, recall, F1 and AUC of the safety classifier that the settings name, and what it finds by kind."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--corpus",
            type=Path,
            metavar="FILE",
            help="JSONL of text, label and kind (default: the test set here)",
        )

        parser.add_argument(
            "--data",
            type=Path,
            metavar="DIR",
            help="data sets in their official files, whose test splits are ordinary talk (default: the corpus here)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        # torch takes seconds to import: only this command pays for it.
        from modelhub.datasets import layout
        from modelhub.safety import labelled, measuring

        try:
            for line in measuring.measure(
                options["corpus"] or labelled.TEST, options["data"] or layout.STARTER
            ):
                self.stdout.write(line)
        except ModelhubError as error:
            raise CommandError(str(error)) from error
