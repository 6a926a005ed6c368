"""``manage.py prepare``: what a release needs once, before its processes start."""

from __future__ import annotations

import sys
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from evalsite import preflight, preparation
from evalsite.console import Console
from evalsite.errors import StartRefused


class Command(BaseCommand):
    help = (
        "Migrate the database, collect static files and load the starter study; what is there already stays."
    )
    requires_system_checks = ()
    requires_migrations_checks = False

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--data", metavar="DIR", help="the site's data folder (data, in the checkout)")

    def handle(self, *args: Any, **options: Any) -> None:
        console = Console(sys.stdout)
        try:
            preflight.check_folder(settings.DATA_DIR)
            preparation.prepare(console)
        except StartRefused as refusal:
            console.end_line()
            raise CommandError(str(refusal), returncode=2) from None
