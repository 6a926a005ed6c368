"""``manage.py web``: one web process, for servers where something else than ``up`` watches over processes."""

from __future__ import annotations

import os
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from evalsite import preflight, web_server
from evalsite.errors import StartRefused
from evalsite.management.arguments import port


class Command(BaseCommand):
    help = "Serve pages and sockets from this process until it is stopped; behind a proxy, several may run."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        host, given_port = os.environ.get("WEB_HOST", "127.0.0.1"), os.environ.get("PORT", "8000")
        parser.add_argument("--host", default=host, help=f"where it listens (WEB_HOST, now {host})")
        parser.add_argument(
            "--port", type=port, default=given_port, help=f"where it listens (PORT, now {given_port})"
        )
        parser.add_argument("--data", metavar="DIR", help="the site's data folder (data, in the checkout)")

    def handle(self, *args: Any, **options: Any) -> None:
        address = preflight.Address(options["host"], options["port"])
        try:
            preflight.check_port(address)
        except StartRefused as refusal:
            raise CommandError(str(refusal), returncode=2) from None
        web_server.serve(address)
