"""The starter models and the study that evaluates them."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from chat import studies
from modelhub.errors import ModelhubError


class Command(BaseCommand):
    help = "Register the eight starter models and open the study table7. What is there already stays."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--seed", type=int, default=1, help="Contexts are drawn with it.")
        parser.add_argument("--data", help="The site's data folder.")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            study, made = studies.load_starter(seed=options["seed"])
        except ModelhubError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"study {study.slug}: {'made and opened' if made else 'there already'}")
