"""``manage.py signin``: a new one-time link for the researcher."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.db import OperationalError, ProgrammingError

from evalsite import sign_in


class Command(BaseCommand):
    help = "Print a link that signs the researcher in once."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--hours", type=float, default=24, help="how long the link is valid (24)")
        parser.add_argument("--data", metavar="DIR", help="the site's data folder (data, in the checkout)")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            token = sign_in.issue(hours=options["hours"])
        except (OperationalError, ProgrammingError) as error:
            raise SystemExit(
                f"The site's database is not ready ({error}): start the site once with bin/up."
            ) from None
        self.stdout.write(sign_in.link(token))
