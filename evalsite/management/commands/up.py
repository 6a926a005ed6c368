"""``manage.py up``: the whole site from one command."""

from __future__ import annotations

import logging
import signal
import sys
from types import FrameType
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser

from evalsite import children, preflight, preparation, sign_in
from evalsite.console import Console
from evalsite.errors import ChildFailed, StartRefused
from evalsite.management.arguments import port
from evalsite.supervisor import Supervisor

STARTER_STUDY = "table7"


class Command(BaseCommand):
    help = "Prepare the data folder, then serve the site until Ctrl-C."
    requires_system_checks = ()
    requires_migrations_checks = False

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--port", type=port, default=8000, help="where the site listens (8000)")
        parser.add_argument(
            "--host", default="127.0.0.1", help="0.0.0.0 listens on every interface (127.0.0.1)"
        )
        parser.add_argument("--data", metavar="DIR", help="the site's data folder (data, in the checkout)")

    def handle(self, *args: Any, **options: Any) -> None:
        address = preflight.Address(options["host"], options["port"])
        console = Console(sys.stdout)
        try:
            code = up(address, console)
        except StartRefused as refusal:
            console.end_line()
            self.stderr.write(str(refusal))
            code = 2
        except KeyboardInterrupt:
            console.end_line()
            self.stderr.write("Stopped before the site ran.")
            code = 130
        sys.exit(code)


def up(address: preflight.Address, console: Console) -> int:
    """Start everything, watch until asked to stop, stop everything; returns the exit code."""
    signal.signal(signal.SIGTERM, as_interrupt)
    logging.disable(logging.INFO)  # this process speaks through the console
    preflight.check_folder(settings.DATA_DIR)
    with preflight.sole_use(settings.DATA_DIR, address.url):
        preflight.check_port(address)
        console.say(f"Colloquy, data in {settings.DATA_DIR}")
        preparation.prepare(console)
        token = sign_in.issue()
        supervisor = Supervisor(
            console, settings.DATA_DIR / "logs", children.environment(address), settings.BASE_DIR
        )
        supervisor.listen_for_signals()
        return run(supervisor, address, token)


def run(supervisor: Supervisor, address: preflight.Address, token: str) -> int:
    try:
        if settings.EMBEDDED_QUEUE:
            supervisor.start([children.queue()])
        supervisor.start([children.worker(), children.sweeper(), children.web(address)])
        if not supervisor.stop_requests:
            greet(supervisor.console, token)
        supervisor.watch()
    except ChildFailed as failure:
        supervisor.console.say(str(failure))
        return 1
    finally:
        supervisor.stop()
    supervisor.console.say("Stopped; the data is kept.")
    return 0


def greet(console: Console, token: str) -> None:
    """The three addresses that a person needs, last and clearly."""
    base = sign_in.site_url()
    if missing := children.missing_models():
        console.say(f"{missing} models could not be loaded and their talks will fail: see logs/worker.log")
    console.say()
    console.say(f"  Evaluators    {base}/e/{STARTER_STUDY}/")
    console.say(f"  Researchers   {base}/studies/")
    console.say(f"  Sign in once  {sign_in.link(token)}")
    console.say()
    console.say("Ctrl-C stops the site. Another sign-in link: manage.py signin")


def as_interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt
