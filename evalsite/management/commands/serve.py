"""Answer turns: the Celery worker that holds models."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from modelhub import registry
from modelhub.errors import ModelhubError
from modelhub.serving import routing


def slugs(text: str) -> list[str]:
    return [slug.strip() for slug in text.split(",") if slug.strip()]


class Command(BaseCommand):
    help = (
        "Answer turns until stopped. With --models the worker holds these models alone, and takes their turns from "
        "their own queue; without it holds what studies use and no other worker was told to hold."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--models", type=slugs, metavar="A,B", help="slugs of models (SERVING_MODELS)")
        parser.add_argument("--device", help="cpu, cuda, cuda:1, auto (SERVING_DEVICE)")
        parser.add_argument("--threads", type=int, help="turns that it holds at once (SERVING_THREADS)")
        parser.add_argument("--data", metavar="DIR", help="the site's data folder")

    def handle(self, *args: Any, **options: Any) -> None:
        given = {name: options[name] for name in ("models", "device", "threads") if options[name] is not None}
        try:
            queue = queue_of_models(given.get("models", settings.SERVING_MODELS))
        except ModelhubError as error:
            raise CommandError(str(error)) from error
        for name, value in given.items():
            setattr(settings, f"SERVING_{name.upper()}", value)
        run(queue)


def queue_of_models(models: Sequence[str]) -> str:
    """The queue of a group that holds these models. Raises ModelhubError for a name that is not registered."""
    for slug in models:
        registry.resolve(slug)
    return routing.queue_of_group(routing.group_of(models))


def run(queue: str) -> None:
    """Celery's worker, in this process, until it is told to stop."""
    from evalsite.celery import app

    app.worker_main(
        [
            *("--quiet", "worker", "--pool", "threads", "--concurrency", str(settings.SERVING_THREADS)),
            *("--queues", f"{queue},{routing.ASIDE}", "--loglevel", "INFO"),
            *("--without-gossip", "--without-mingle", "--without-heartbeat"),
        ]
    )
