"""Import a poly-encoder that ParlAI trained, and register it."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from modelhub.errors import ModelhubError


class Command(BaseCommand):
    help = (
        "Import a ParlAI transformer/polyencoder into this project's format, with its bank, and register it."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "source", type=Path, help="folder with model, model.opt, ..., or its tar.gz or zip"
        )
        parser.add_argument("--slug", required=True, help="how the model is named in studies and commands")
        parser.add_argument("--name", default="", help="its row in reports (default: the slug)")
        parser.add_argument(
            "--bank",
            type=Path,
            help="utterances to answer with, one a line (default: the fixed candidates there)",
        )
        parser.add_argument(
            "--out", type=Path, help="folder to write (default: models/SLUG in the data folder)"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        # torch takes seconds to import: only this command pays for it.
        from modelhub.parlai import commands

        try:
            for line in commands.import_model(
                **{name: options[name] for name in ("source", "slug", "name", "bank", "out")}
            ):
                self.stdout.write(line)
        except ModelhubError as error:
            raise CommandError(str(error)) from error
        except KeyboardInterrupt:
            raise CommandError("stopped; nothing was imported", returncode=130) from None
