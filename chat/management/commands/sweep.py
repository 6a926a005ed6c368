"""Sweep each SWEEP_INTERVAL_S until SIGTERM or SIGINT."""

from __future__ import annotations

import signal
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser

from chat import events, sweeper


class Command(BaseCommand):
    help = (
        "End idle talks, ask again for lost replies, show held ones and forget old traces of accounts, "
        "each SWEEP_INTERVAL_S, until stopped."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--once", action="store_true", help="One sweep, then end.")
        parser.add_argument("--data", help="The site's data folder.")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["once"]:
            swept = sweeper.sweep_once()
            events.flush()
            counts = (
                f"{swept.abandoned} abandoned, {swept.asked_again} asked again, {swept.delivered} delivered, "
                f"{swept.forgotten} traces forgotten"
            )
            self.stdout.write(counts)
            return
        stop = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        # This thread only waits for the result. Were it inside `stop.wait` when a signal comes, the handler's
        # `stop.set` would wait, for ever, for the lock that the interrupted `wait` holds.
        with ThreadPoolExecutor(1, "sweeper") as thread:
            thread.submit(sweeper.sweep_until, stop, settings.SWEEP_INTERVAL_S).result()
