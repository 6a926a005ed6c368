"""``manage.py draw_contexts --study SLUG --data DIR``: a study's contexts from the data sets that are installed."""

from __future__ import annotations

from argparse import ArgumentParser
from collections import Counter
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError

from chat import contexts
from chat.errors import ChatError
from chat.models import Study
from modelhub.datasets.contexts import SEED_SKILLS, seed_skills
from modelhub.errors import ModelhubError


class Command(BaseCommand):
    help = (
        "Draw what talks begin with, as BlendedSkillTalk does, in place of the contexts that a study has. The study "
        "must not be open, and nobody may have talked in it."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--study", required=True, help="the study's slug")
        parser.add_argument(
            "--data", type=Path, help="folder of data sets (default: datasets in the site's data folder)"
        )
        parser.add_argument("--number", type=int, default=200, help="how many (default: 200)")
        parser.add_argument("--seed", type=int, help="fixes what is drawn (default: the study's seed)")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["number"] < 1:
            raise CommandError("--number counts from 1.")
        study = _study(options["study"])
        folder = options["data"] or settings.DATA_DIR / "datasets"
        seed = study.seed if options["seed"] is None else options["seed"]
        try:
            installed = seed_skills(folder)
            drawn = contexts.replace_pool(study, options["number"], seed=seed, folder=folder)
        except (ChatError, ModelhubError) as error:
            raise CommandError(str(error)) from error
        counts = Counter(context.source for context in drawn)
        sources = ", ".join(f"{counts[skill]} from {skill.value}" for skill in installed)
        self.stdout.write(f"study {study.slug}: {len(drawn)} contexts with seed {seed}: {sources}")
        if lacking := [skill.value for skill in SEED_SKILLS if skill not in installed]:
            self.stdout.write(f"not installed in {folder}, so nothing is seeded by it: {', '.join(lacking)}")


def _study(slug: str) -> Study:
    try:
        return Study.objects.get(slug=slug)
    except Study.DoesNotExist as error:
        raise CommandError(f"There is no study {slug!r}.") from error
    except DatabaseError as error:
        raise CommandError(
            f"The database of {settings.DATA_DIR} cannot be read ({error}). Start the site once with bin/up, or "
            "name its folder by COLLOQUY_DATA."
        ) from error
