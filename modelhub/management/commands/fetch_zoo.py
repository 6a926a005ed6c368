"""Download a poly-encoder of the paper from ParlAI's model zoo, import and register it."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from modelhub.errors import ModelhubError
from modelhub.parlai import zoo


class Command(BaseCommand):
    help = "Download a model of ParlAI's zoo, import and register it; a download that was cut goes on."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", help=", ".join(zoo.MODELS))
        parser.add_argument("--slug", default="", help="how the model is named (default: zoo-NAME)")
        parser.add_argument("--row", default="", help="its row in reports (default: the paper's, with (zoo))")
        parser.add_argument(
            "--bank",
            type=Path,
            help="utterances to answer with, one a line (default: the fixed candidates there)",
        )
        parser.add_argument(
            "--folder", type=Path, help="folder of archives (default: zoo in the data folder)"
        )
        parser.add_argument("--mirror", default=zoo.BASE, help="address to fetch from (default: %(default)s)")
        parser.add_argument(
            "--out", type=Path, help="folder to write (default: models/SLUG in the data folder)"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        # torch takes seconds to import: only this command pays for it.
        from modelhub.parlai import commands

        try:
            for line in commands.fetch_zoo(
                **{name: options[name] for name in ("name", "slug", "row", "bank", "folder", "out", "mirror")}
            ):
                self.stdout.write(line)
        except ModelhubError as error:
            raise CommandError(str(error)) from error
        except KeyboardInterrupt:
            raise CommandError("stopped; run it again to go on", returncode=130) from None
