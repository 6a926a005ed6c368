"""One run: services, site and people start; everything is struck; everything is compared."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import shutil
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.chaos import judge, report
from tests.chaos.client_log import ClientLog, Kind
from tests.chaos.database import Database
from tests.chaos.front import Front
from tests.chaos.killer import NETWORK, Killer, Strike, plan
from tests.chaos.people import Crowd, fill_seats
from tests.chaos.processes import Process, keep
from tests.chaos.services import Services, own_services
from tests.chaos.watcher import Watcher
from tests.site_process import OWN_VARIABLES, free_port

START_LIMIT_S = 180.0
#: After the last strike everybody gets to finish: a little more than nobody may wait longer than.
FINISH_LIMIT_S = 150.0


@dataclass(frozen=True, slots=True)
class Options:
    """What to play."""

    services: str
    kills: int
    talks: int
    seed: int
    redis_file: bool = True
    think_s: float = 6.0
    limit_s: float = 3600.0
    keep: bool = False

    @property
    def name(self) -> str:
        if self.services == "embedded":
            return "SQLite + Valkey"
        redis = "Redis" if self.redis_file else "Redis without a file"
        return {"postgresql+redis": f"PostgreSQL + {redis}"}.get(
            self.services, f"PostgreSQL + RabbitMQ + {redis}"
        )


async def play(options: Options, say: Callable[[str], None]) -> report.Outcome:
    """The whole run in a folder of its own, which goes unless something was found."""
    folder = Path(tempfile.mkdtemp(prefix="colloquy-chaos-"))
    folder.chmod(0o755)  # the services' own users must get through to their folders
    begun = time.monotonic()
    outcome = report.Outcome(options.name, options.seed, 0.0)
    say(f"{options.name}: everything is in {folder}")
    try:
        async with asyncio.timeout(options.limit_s):
            await Run(options, folder, outcome, say).whole()
    finally:
        outcome.seconds = round(time.monotonic() - begun, 1)
        if outcome.is_green and not options.keep:
            shutil.rmtree(folder, ignore_errors=True)
    return outcome


class Run:
    """The parts of a run, and their order."""

    def __init__(
        self, options: Options, folder: Path, outcome: report.Outcome, say: Callable[[str], None]
    ) -> None:
        self.options = options
        self.folder = folder
        self.outcome = outcome
        self.say = say
        self.data = folder / "data"
        self.rng = random.Random(f"run {options.seed}")

    async def whole(self) -> None:
        options = self.options
        services = own_services(options.services, self.folder, redis_file=options.redis_file)
        async with kept(services.quiet), kept(services.processes) as running:
            await all_ready(running)
            set_up_django(self.data, services)
            from tests.chaos import site

            site.prepare()
            web_ports, port = [free_port(), free_port()], free_port()
            logs = self.data / "logs"
            logs.mkdir(exist_ok=True)
            own = site.processes(web_ports, port, logs, embedded=options.services == "embedded")
            async with kept(own) as site_running:
                await all_ready(site_running)
                front = Front(web_ports, self.rng)
                await front.start(port)
                self.say(f"ready after {sum(max(p.start_s) for p in own):.0f} s of starting")
                database = Database.of_site(services.variables, self.data)
                log = await self._strike([*running, *site_running], front, port, database)
                await front.stop()
            stored = await asyncio.to_thread(site.stored)
            site.forget_connections()
        self._conclude(log, stored, own)

    async def _strike(
        self, processes: Sequence[Process], front: Front, port: int, database: Database
    ) -> ClientLog:
        """People talk, everything is struck, the watcher looks; until everybody has finished."""
        options = self.options
        log, stop = ClientLog(self.folder / "client-log.jsonl"), asyncio.Event()
        crowd = Crowd(f"http://localhost:{port}", "chaos", options.talks, options.think_s, options.seed)
        watcher = Watcher(database, on_fault=lambda fault: self.say(f"  FOUND {fault}"))
        targets = {process.name: process for process in processes}
        killer = Killer(targets, front, log, self.rng)
        watching = asyncio.create_task(watcher.watch())
        people = asyncio.create_task(fill_seats(crowd, log, stop))
        try:
            await log.next(Kind.ACCEPTED, START_LIMIT_S)
            await killer.carry_out(plan(options.kills, options.seed, [*targets, NETWORK]), self._teller())
            stop.set()
            self.say("the last one is back; everybody finishes")
            await self._until_finished(people, log)
        finally:
            people.cancel()
            watching.cancel()
            await asyncio.gather(people, watching, return_exceptions=True)
        await watcher.look()
        self._note(killer, watcher, processes)
        return log

    def _teller(self) -> Callable[[Strike], None]:
        begun, count = time.monotonic(), iter(range(1, self.options.kills + 1))

        def tell(strike: Strike) -> None:
            at = f" at {strike.moment}" if strike.moment else ""
            self.say(
                f"{time.monotonic() - begun:6.1f} s  {next(count):3}  {strike.target} {strike.how}{at}, "
                f"back in {strike.away_s:.1f} s"
            )

        return tell

    async def _until_finished(self, people: asyncio.Task[None], log: ClientLog) -> None:
        await asyncio.wait([people], timeout=FINISH_LIMIT_S)
        if not people.done():
            ended = {event.person for event in log.events if event.kind in (Kind.CODE, Kind.STUCK)}
            left = {event.person for event in log.events} - ended
            self.outcome.findings += [
                f"person {person} had not finished {FINISH_LIMIT_S:.0f} s after the last strike"
                for person in sorted(left)
            ]

    def _note(self, killer: Killer, watcher: Watcher, processes: Sequence[Process]) -> None:
        outcome = self.outcome
        outcome.strikes = {f"{target} {how}": count for (target, how), count in killer.done.items()}
        outcome.counts |= {
            "strikes at the moment meant": killer.aimed,
            "looks into the database": watcher.looks,
            "looks while it was away": watcher.away,
            "ended by itself": sum(process.ended_by_itself for process in processes),
        }
        outcome.findings += [f"{fault} (seen {n} times)" for fault, n in watcher.found.items()]
        for process in processes:
            if process.ended_by_itself:
                self.say(f"{process.name} ended by itself {process.ended_by_itself} times")

    def _conclude(self, log: ClientLog, stored: judge.Stored, site_processes: Sequence[Process]) -> None:
        log.close()
        found = report.errors(process.log for process in site_processes if process.log.exists())
        self.outcome.counts |= report.counts_of(log.events, stored) | {
            "errors in the site's logs": found.total()
        }
        self.outcome.findings += judge.findings(log.events, stored)
        for what, count in found.most_common():
            self.say(f"  {count} x {what}")


@contextlib.asynccontextmanager
async def kept(processes: Sequence[Process]) -> AsyncIterator[Sequence[Process]]:
    """Started, looked after, and ended in the reverse order."""
    looking: asyncio.Task[None] | None = None
    try:
        for process in processes:
            process.start()
        looking = asyncio.create_task(keep(processes))
        yield processes
    finally:
        if looking:
            looking.cancel()
            await asyncio.gather(looking, return_exceptions=True)
        for process in reversed(processes):
            await process.stop(process.stop_signal)


async def all_ready(processes: Sequence[Process]) -> None:
    for process in processes:
        await process.until_ready(START_LIMIT_S)


def set_up_django(data: Path, services: Services) -> None:
    """For the site under test; once a process."""
    for name in OWN_VARIABLES:
        os.environ.pop(name, None)
    os.environ |= services.variables | {
        "COLLOQUY_DATA": str(data),
        "DJANGO_SETTINGS_MODULE": "evalsite.settings",
        "DJANGO_ALLOW_ASYNC_UNSAFE": "1",  # nothing else runs yet where we ask
    }
    import django

    django.setup()
