"""Register a trained model, or a system of registered models, so that studies and benchmarks can name it."""

from __future__ import annotations

from argparse import ArgumentParser, ArgumentTypeError
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from modelhub.errors import ModelhubError

KINDS = ("retrieval", "random-skill", "two-stage")


def parts(text: str) -> dict[str, str]:
    """``convai2=a,wow=b`` as skills and models."""
    pairs = [pair.strip().partition("=") for pair in text.split(",")]
    if not all(skill and equals and model for skill, equals, model in pairs):
        raise ArgumentTypeError(f"{text!r}: SKILL=MODEL,SKILL=MODEL is needed")
    found = {skill: model for skill, _, model in pairs}
    if len(found) < len(pairs):
        raise ArgumentTypeError(f"{text!r} names a skill twice")
    return found


class Command(BaseCommand):
    help = (
        "Register a folder that train wrote, or a system of registered models: random-skill of its parts, two-stage "
        "of a manager's folder and its parts. What changed becomes a new revision."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("folder", nargs="?", type=Path, help="of the weights; random-skill has none")
        parser.add_argument("--slug", required=True, help="how the model is named in studies and commands")
        parser.add_argument("--name", default="", help="its row in reports (default: the slug)")
        parser.add_argument("--kind", default=KINDS[0], choices=KINDS)
        parser.add_argument(
            "--parts",
            type=parts,
            metavar="SKILL=MODEL,...",
            help="a registered model, slug or slug@REVISION, for each skill",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        # torch takes seconds to import: only this command pays for it.
        from modelhub import registering

        kind = options["kind"].replace("-", "_")
        given = {name: options[name] for name in ("slug", "name", "folder", "parts")}
        try:
            revision = registering.register(kind, **given)
        except ModelhubError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"registered {revision.reference} as {revision.model.name}")
