"""Benchmarks of Tables 4, 5 and 6: how models rank what people said, and which skills they choose."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError

from modelhub.errors import ModelhubError


class Command(BaseCommand):
    help = (
        "hits@1, @5, @10 and MRR of models on a data set's test split (Tables 5 and 6), or with --provenance the data "
        "sets that their replies come from (Table 4). Each result is stored as soon as it is there; what is stored "
        "is not measured again."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "models",
            nargs="+",
            metavar="MODEL",
            help="a registered slug, slug@REVISION, or a folder of weights",
        )
        parser.add_argument(
            "--task",
            action="append",
            dest="tasks",
            choices=["convai2", "wow", "ed", "bst", "all"],
            help="may be given several times",
        )
        parser.add_argument(
            "--data", type=Path, metavar="DIR", help="folder of data sets (default: the starter corpus)"
        )
        parser.add_argument(
            "--split",
            default="",
            choices=["train", "valid", "test"],
            help="default: test; for ConvAI2 valid where there is no test",
        )
        parser.add_argument(
            "--candidates",
            type=int,
            default=0,
            help="how many where the file lists none (default: 20 for convai2 and bst, 100 for wow and ed)",
        )
        parser.add_argument(
            "--mixed-candidates", action="store_true", help="tripled with candidates of the other two tasks"
        )
        parser.add_argument(
            "--added-context", action="store_true", help="every dialogue has a persona and a topic"
        )
        parser.add_argument(
            "--seed", type=int, default=7, help="draws candidates, added context and Random-Skill's choices"
        )
        parser.add_argument(
            "--max-examples", type=int, default=0, metavar="N", help="whole dialogues up to N"
        )
        parser.add_argument(
            "--against", metavar="MODEL", help="hits@1 compared with this model's, or untrained"
        )
        parser.add_argument("--provenance", action="store_true", help="Table 4 (default task: bst)")
        parser.add_argument("--again", action="store_true", help="measure what is stored already")
        parser.add_argument("--format", default="text", choices=["text", "markdown", "json"])

    def handle(self, *args: Any, **options: Any) -> None:
        # torch takes seconds to import: only this command pays for it.
        from modelhub.benchmarks import commands

        try:
            for line in commands.run(**{name: options[name] for name in commands.OPTIONS}):
                self.stdout.write(line)
        except ModelhubError as error:
            raise CommandError(str(error)) from error
        except DatabaseError as error:
            raise CommandError(
                f"The database of {settings.DATA_DIR} cannot be used ({error}). Start the site once with bin/up, "
                "or name its folder by COLLOQUY_DATA."
            ) from error
        except KeyboardInterrupt:
            self.stderr.write(
                "Interrupted. Finished tasks are stored; the same command goes on with the rest."
            )
            raise SystemExit(130) from None
