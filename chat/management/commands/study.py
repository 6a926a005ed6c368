"""``manage.py study create --template table7 --models a,b``: a study of any registered models; ``study show SLUG``.

Apps above may add subcommands (chat.study_subcommands).
"""

from __future__ import annotations

from argparse import ArgumentParser, ArgumentTypeError
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError

from chat import studies
from chat.errors import ChatError
from chat.models import Study
from chat.study_subcommands import arm_lines, subcommands
from chat.study_templates import TEMPLATES
from modelhub.errors import ModelhubError


def models(text: str) -> list[str]:
    """``a,b@2`` as names."""
    return [name.strip() for name in text.split(",")]


def seconds(text: str) -> timedelta:
    """``2.5`` as a duration; argparse tells of what is no number."""
    try:
        return timedelta(seconds=float(text))
    except (ValueError, OverflowError):
        raise ArgumentTypeError(f"{text!r} is no number of seconds") from None


class Command(BaseCommand):
    help = "Make a study of registered models, which evaluators then compare; or show how far one is."

    def add_arguments(self, parser: ArgumentParser) -> None:
        kinds = parser.add_subparsers(dest="what", required=True)
        show = kinds.add_parser("show", help="how far each model is, and who serves it")
        show.add_argument("slug")
        create = kinds.add_parser("create", help="a draft, or with --open one that lets evaluators in")
        self.add_create_arguments(create)
        for each in subcommands:
            parser = kinds.add_parser(each.name, help=each.help)
            parser.add_argument("slug")
            each.add_arguments(parser)
        for parser in kinds.choices.values():
            parser.add_argument("--data", metavar="DIR", help="the site's data folder (read before settings)")

    def add_create_arguments(self, create: ArgumentParser) -> None:
        create.add_argument("--template", default="table7", choices=sorted(TEMPLATES))
        create.add_argument(
            "--models",
            type=models,
            required=True,
            metavar="MODEL,...",
            help="registered models, slug or slug@REVISION, in the order of the report's rows",
        )
        create.add_argument(
            "--slug", default="", help="names the study in addresses (default: the template's)"
        )
        create.add_argument("--title", default="", help="what evaluators read (default: the template's)")
        create.add_argument(
            "--seed", type=int, default=1, help="draws contexts and the order of models (default: 1)"
        )
        create.add_argument(
            "--reply-floor",
            type=seconds,
            default=timedelta(0),
            metavar="SECONDS",
            help="show no reply sooner, so that speed does not tell models apart (default: 0)",
        )
        create.add_argument(
            "--attention-every",
            type=int,
            default=0,
            metavar="N",
            help="among the questions about every N-th talk of a worker, ask for a certain number (default: 0, never)",
        )
        create.add_argument("--open", action="store_true", help="let evaluators in")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["what"] == "create":
            self.create(**options)
        elif options["what"] == "show":
            self.show(self.study(options["slug"]))
        else:
            asked = next(each for each in subcommands if each.name == options["what"])
            self.stdout.write(asked.run(self.study(options["slug"]), options))

    def study(self, slug: str) -> Study:
        study = Study.objects.filter(slug=slug).first()
        if study is None:
            known = ", ".join(Study.objects.values_list("slug", flat=True)) or "none"
            raise CommandError(f"There is no study {slug!r}; there are: {known}.")
        return study

    def show(self, study: Study) -> None:
        self.stdout.write(f"{study.slug}: {study.get_state_display().lower()}")
        if study.attention_every:
            talks = "talk" if study.attention_every == 1 else f"{study.attention_every} talks"
            self.stdout.write(f"  an attention item every {talks} of a worker")
        for arm in studies.progress(study):
            away = "no talk begins now: " if arm.is_away else ""
            self.stdout.write(
                f"  {arm.name}: {arm.done} done, {arm.talking} talking, of {arm.target}; {away}{arm.serving}"
            )
            for lines in arm_lines:
                for line in lines(arm.arm):
                    self.stdout.write(f"    {line}")

    def create(self, **options: Any) -> None:
        try:
            study = studies.create_of_models(
                options["template"],
                options["models"],
                slug=options["slug"] or options["template"],
                title=options["title"],
                seed=options["seed"],
                reply_floor=options["reply_floor"],
                attention_every=options["attention_every"],
            )
        except (ChatError, ModelhubError) as error:
            raise CommandError(str(error)) from error
        except DatabaseError as error:
            where = f"The database of {settings.DATA_DIR} cannot be used ({error})."
            raise CommandError(
                f"{where} Start the site once with bin/up, or name its folder by --data."
            ) from error
        if options["open"]:
            studies.open_study(study)
        names = ", ".join(arm.revision.reference for arm in study.arms.select_related("revision__model"))
        self.stdout.write(
            f"study {study.slug}: {study.get_state_display().lower()}, {study.contexts.count()} contexts, {names}"
        )
