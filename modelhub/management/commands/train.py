"""Train a model of Table 7, or all of them: ``manage.py train all`` makes the weights that ship with the project."""

from __future__ import annotations

import math
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, DjangoHelpFormatter

from modelhub.errors import ModelhubError
from modelhub.training.recipes import SCALES, described


class HelpFormatter(DjangoHelpFormatter, RawDescriptionHelpFormatter):
    """Keeps the lines of the list of recipes."""


class Command(BaseCommand):
    help = "Train a model from a folder of data sets; without --data from the corpus that comes with the project."
    # Training needs no database.
    requires_system_checks: list[str] = []

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> Any:
        listed = "\n".join(f"  {slug:<32}{about}" for slug, about in described())
        epilog = (
            f"recipes:\n{listed}\n  {'results':<32}measures the models in --out again\n\nSee docs/models.md."
        )
        return super().create_parser(
            prog_name, subcommand, epilog=epilog, formatter_class=HelpFormatter, **kwargs
        )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("recipe", help="what to train; listed below")
        parser.add_argument("--data", type=Path, help="folder of data sets in their official files")
        parser.add_argument(
            "--base", type=Path, help="folder of a BERT encoder (default: the setting BASE_ENCODER)"
        )
        parser.add_argument("--out", type=Path, help="folder to write (default for all: the shipped weights)")
        parser.add_argument("--from", type=Path, dest="start", help="folder of the model to start from")
        parser.add_argument(
            "--from-scratch", action="store_true", help="random weights of the base's architecture"
        )
        parser.add_argument(
            "--scale",
            choices=SCALES,
            help="small deltas over a frozen base, or the paper's fine-tuning of all layers "
            "(default: starter for the starter corpus, else paper)",
        )
        parser.add_argument("--seed", type=int, default=1)
        _add_values(parser)
        _add_bounds(parser)
        parser.add_argument("--precision", default="auto", choices=("auto", "float32", "bfloat16"))
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


def _add_values(parser: ArgumentParser) -> None:
    values = parser.add_argument_group("values of the scale")
    values.add_argument("--learning-rate", metavar="RATE")
    values.add_argument("--batch", metavar="EXAMPLES", help="of all processes together")
    values.add_argument("--max-epochs", metavar="EPOCHS")
    values.add_argument("--text-truncate", metavar="TOKENS", help="of a context")
    values.add_argument(
        "--set", action="append", default=[], metavar="NAME=VALUE", help="any other value in docs/models.md"
    )


def _add_bounds(parser: ArgumentParser) -> None:
    bounds = parser.add_argument_group("bounds and checkpoints")
    bounds.add_argument("--max-examples", type=int, metavar="N", help="of each data set, drawn by the seed")
    bounds.add_argument("--max-minutes", type=float, default=math.inf, metavar="M", help="of each training")
    bounds.add_argument(
        "--checkpoint-minutes",
        type=float,
        default=10.0,
        metavar="M",
        help="between two checkpoints (default: 10)",
    )
    bounds.add_argument(
        "--restart", action="store_true", help="forget the checkpoint or the model that is there"
    )
