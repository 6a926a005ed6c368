"""Embed a bank for a model: the utterances of data sets that it answers with."""

from __future__ import annotations

from argparse import ArgumentParser, ArgumentTypeError
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from modelhub.dialogue import Skill
from modelhub.errors import ModelhubError


def datasets(text: str) -> list[str]:
    """``convai2,wow`` as names."""
    names = [name.strip() for name in text.split(",")]
    if unknown := [name for name in names if name not in list(Skill)]:
        raise ArgumentTypeError(f"no data set {', '.join(unknown)}; there are {', '.join(Skill)}")
    return names


class Command(BaseCommand):
    help = (
        "Embed what was said in data sets as a model's answers. A registered model gets a new revision; a folder that "
        "nobody registered is changed in its place."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("model", help="a registered model, slug or slug@REVISION, or a folder of weights")
        parser.add_argument(
            "--data",
            type=Path,
            required=True,
            metavar="DIR",
            help="folder of data sets in their official files",
        )
        parser.add_argument(
            "--datasets",
            type=datasets,
            metavar="NAME,...",
            help=f"some of {', '.join(Skill)} (default: all that are there)",
        )
        parser.add_argument("--split", default="train", choices=["train", "valid", "test"])
        parser.add_argument(
            "--out",
            type=Path,
            metavar="FOLDER",
            help="write there (default: models/SLUG-N in the data folder)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        # torch takes seconds to import: only this command pays for it.
        from modelhub import embedding

        given = {name: options[name] for name in ("model", "data", "datasets", "split", "out")}
        try:
            for line in embedding.embed_bank(**given):
                self.stdout.write(line)
        except ModelhubError as error:
            raise CommandError(str(error)) from error
        except KeyboardInterrupt:
            raise CommandError("stopped; no bank was embedded", returncode=130) from None
