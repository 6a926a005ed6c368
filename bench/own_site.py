"""A site of a bench's own: its database, a study with a scripted model, and processes as ``manage.py up`` starts them.

By default it is the embedded one, on SQLite and Valkey. ``--postgresql`` and ``--redis`` name servers instead: a
database is made on the one and dropped again, and the named database of the other is emptied.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import shutil
import socket
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
#: Longer than any talk of a bench: a scripted model says nothing twice.
REPLIES = 300
#: A talk of a bench does not end by itself.
MOST_TURNS = 1000


def parser(about: str) -> argparse.ArgumentParser:
    options = argparse.ArgumentParser(description=about)
    options.add_argument(
        "--postgresql", metavar="URL", help="a server, such as postgres://postgres@127.0.0.1:5432"
    )
    options.add_argument("--redis", metavar="URL", help="a database to be emptied: redis://127.0.0.1:6379/8")
    return options


def open_site(options: argparse.Namespace) -> None:
    """Name the bench's own data folder and servers, before Django's settings are read."""
    os.environ["COLLOQUY_DATA"] = tempfile.mkdtemp(prefix="colloquy-bench-")
    for name in ("DATABASE_URL", "REDIS_URL", "BROKER_URL"):
        os.environ.pop(name, None)
    os.environ["LOG_LEVEL"] = "WARNING"
    if options.postgresql:
        os.environ["DATABASE_URL"] = f"{options.postgresql.rstrip('/')}/{database_name()}"
    if options.redis:
        os.environ["REDIS_URL"] = options.redis
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "evalsite.settings")
    sys.path.insert(0, str(PROJECT))
    if options.postgresql:
        _on_server(options.postgresql, f"CREATE DATABASE {database_name()}")
    import django

    django.setup()


def database_name() -> str:
    return f"colloquy_bench_{os.getpid()}"


def _on_server(server: str, statement: str) -> None:
    import psycopg

    with psycopg.connect(f"{server.rstrip('/')}/postgres", autocommit=True) as connection:
        connection.execute(statement)


def services(options: argparse.Namespace) -> str:
    database = "PostgreSQL" if options.postgresql else "SQLite"
    return f"{database} and {'Redis' if options.redis else 'Valkey'}"


def make_study(revision):
    """An open study with one model, whose talks do not end by themselves."""
    from chat import studies
    from chat.models import Study

    study = studies.create_from_template("table7", slug="bench", revisions=[revision])
    Study.objects.filter(pk=study.pk).update(max_turns=MOST_TURNS, min_turns=6)
    studies.open_study(study)
    return study


def migrate() -> None:
    from django.core.management import call_command

    call_command("migrate", interactive=False, verbosity=0)


def scripted(delay_ms: float):
    """A model that answers each batch in so many milliseconds."""
    from modelhub import registry

    replies = [f"this is reply number {number}" for number in range(REPLIES)]
    config = {"replies": replies, "delay_s": delay_ms / 1000}
    return registry.register("scripted", "Scripted", "scripted", None, config)


def paper_size(candidates: int):
    """A poly-encoder of the paper's size with random weights, and a random bank."""
    import torch
    from django.conf import settings
    from plain import paper_network

    from modelhub import registry
    from modelhub.polyencoder import checkpoints
    from modelhub.polyencoder.bank import Bank
    from modelhub.polyencoder.base import base_folder
    from modelhub.polyencoder.tokens import TextEncoder

    folder, network = Path(settings.DATA_DIR) / "paper", paper_network()
    checkpoints.save_whole(folder, network, TextEncoder(base_folder(), network.config))
    rows = torch.randn(candidates, network.width, generator=torch.Generator().manual_seed(1)).half()
    texts = tuple(f"this is candidate number {number}" for number in range(candidates))
    Bank(texts, ("convai2",) * candidates, rows).save(folder)
    return registry.register("paper", "Paper's size", "retrieval", folder, {})


@dataclass(frozen=True, slots=True)
class Talk:
    """A talk that a bench may continue: its socket's address and its worker's cookie."""

    address: str
    cookie: str
    conversation_id: str


def begin_talks(study, addresses: Sequence[str], count: int) -> list[Talk]:
    """So many simulated workers, each in a talk of theirs, spread over the web processes."""
    from django.conf import settings

    from chat import assignment, participation
    from chat.identity import cookie_value

    talks = []
    for number in range(count):
        person = participation.enter(study, None, simulated_as="bench")
        participation.consent(person)
        talk = assignment.start_talk(person)
        cookie = f"{settings.WORKER_COOKIE_NAME}={cookie_value(person.worker)}"
        address = addresses[number % len(addresses)]
        talks.append(Talk(f"{address.replace('http', 'ws')}/ws/t/{talk.pk}/", cookie, str(talk.pk)))
    return talks


@dataclass(frozen=True, slots=True)
class Running:
    """The site's processes by name, and where its pages are."""

    pids: Mapping[str, int]
    addresses: Sequence[str]


@contextlib.contextmanager
def running_site(webs: int = 1, variables: Mapping[str, str] | None = None) -> Iterator[Running]:
    """The queue where it is embedded, a worker, a sweeper and some web processes; stopped at the end."""
    from django.conf import settings

    from evalsite import children
    from evalsite.console import Console
    from evalsite.preflight import Address
    from evalsite.supervisor import Supervisor

    addresses = [Address("127.0.0.1", free_port()) for _ in range(webs)]
    first = addresses[0] if addresses else Address("127.0.0.1", 0)
    given = children.environment(first) | dict(variables or {})
    quiet = Console(open(os.devnull, "w"))  # noqa: SIM115 - as long as the process
    supervisor = Supervisor(quiet, Path(settings.DATA_DIR) / "logs", given, PROJECT)
    wanted = [children.worker(), children.sweeper()]
    wanted += [
        replace(children.web(address), name=f"web {place}") for place, address in enumerate(addresses, 1)
    ]
    try:
        if settings.EMBEDDED_QUEUE:
            supervisor.start([children.queue()])
        supervisor.start(wanted)
        pids = {each.child.name: each.process.pid for each in supervisor.running if each.process}
        yield Running(pids, [address.url for address in addresses])
    finally:
        supervisor.stop()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def close_site(options: argparse.Namespace) -> None:
    """Leave nothing behind."""
    from django.conf import settings
    from django.db import connections

    connections.close_all()
    if hasattr(connections["default"], "close_pool"):
        connections["default"].close_pool()
    if options.postgresql:
        _on_server(options.postgresql, f"DROP DATABASE {database_name()} WITH (FORCE)")
    if options.redis:
        import redis

        redis.Redis.from_url(options.redis).flushdb()
    shutil.rmtree(settings.DATA_DIR, ignore_errors=True)


class ProcessorTime:
    """How much of a core each process used between two looks."""

    def __init__(self, pids: Mapping[str, int]) -> None:
        self._pids = {**pids, "client": os.getpid()}
        self._began, self._first = time.monotonic(), self._seconds()

    def cores(self) -> dict[str, float]:
        lasted, now = time.monotonic() - self._began, self._seconds()
        return {name: (now[name] - self._first[name]) / lasted for name in now}

    def _seconds(self) -> dict[str, float]:
        tick, found = os.sysconf("SC_CLK_TCK"), {}
        for name, pid in self._pids.items():
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            found[name] = (int(fields[11]) + int(fields[12])) / tick
        return found
