"""Simulated workers visit a running site: ``manage.py simulate --study table7 --workers 40 --seed 7``."""

from __future__ import annotations

import asyncio
import signal
import time
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from chat.participation import simulation_token
from ratings.simulation import errors
from ratings.simulation.crowd import Plan, Tally, Visit, plans, send_crowd
from ratings.simulation.summary import summary


class Command(BaseCommand):
    help = (
        "Let simulated workers visit a running site through its front door: they consent, chat and rate, "
        "and some behave badly. Their data is marked as simulated and takes no slot."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--study", default="table7", help="the study's slug (default: table7)")
        parser.add_argument("--workers", type=int, default=40, help="how many come (default: 40)")
        parser.add_argument("--seed", type=int, default=7, help="fixes who comes and how (default: 7)")
        parser.add_argument("--url", default="http://localhost:8000", help="where the site runs")
        parser.add_argument("--talks", type=int, help="talks for each worker (default: 1 to 10, varied)")
        parser.add_argument("--think", type=float, default=0.0, help="seconds before a message (default: 0)")
        parser.add_argument("--concurrency", type=int, default=20, help="workers at a time (default: 20)")
        parser.add_argument("--patience", type=float, default=60.0, help="seconds to wait for a reply")
        parser.add_argument("--data", help="the site's data folder (default: ./data)")

    def handle(self, *args: Any, **options: Any) -> None:
        if min(options["workers"], options["concurrency"], options["talks"] or 1) < 1:
            raise CommandError("--workers, --concurrency and --talks count from 1.")
        visit = Visit(
            options["url"], options["study"], simulation_token, options["think"], options["patience"]
        )
        crowd = plans(options["workers"], options["seed"], options["talks"])
        began = time.monotonic()
        try:
            tally = asyncio.run(_run(visit, crowd, options["concurrency"]))
        except errors.SimulationError as error:
            raise CommandError(str(error)) from error
        for line in summary(tally, len(crowd), time.monotonic() - began):
            self.stdout.write(line)
        if tally.stopped:
            raise SystemExit(130)
        if tally.problems:
            raise SystemExit(1)


async def _run(visit: Visit, crowd: list[Plan], concurrency: int) -> Tally:
    """Send the crowd under a progress bar; Ctrl-C sends everybody home."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    with tqdm(total=sum(plan.talks for plan in crowd), unit="talk", desc="Simulating") as bar:
        return await send_crowd(visit, crowd, concurrency, stop, bar.update)
