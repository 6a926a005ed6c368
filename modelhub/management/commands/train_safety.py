"""Train the head of the safety classifier; without options, the one that ships."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from modelhub.errors import ModelhubError


class Command(BaseCommand):
    help = (
        "Train the head of the safety classifier on labelled utterances, in seconds. For another base encoder or your "
        "own utterances write a folder of your own, and let the setting SAFETY_CLASSIFIER name it."
    )
    # Training needs no database.
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--corpus", type=Path, metavar="FILE", help="JSONL (default: the training set here)"
        )
        parser.add_argument(
            "--base", type=Path, metavar="FOLDER", help="a BERT encoder (default: BASE_ENCODER)"
        )
        parser.add_argument("--out", type=Path, metavar="FOLDER", help="default: the shipped head")
        parser.add_argument("--seed", type=int, default=1, help="of the folds (default: 1)")

    def handle(self, *args: Any, **options: Any) -> None:
        # torch takes seconds to import: only this command pays for it.
        from modelhub.safety import head, labelled, training

        try:
            for line in training.train(
                options["out"] or head.SHIPPED,
                options["corpus"] or labelled.TRAIN,
                options["base"],
                options["seed"],
            ):
                self.stdout.write(line)
        except ModelhubError as error:
            raise CommandError(str(error)) from error
