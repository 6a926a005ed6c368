"""The embedded queue: its journal, and what a killed site leaves behind."""

from __future__ import annotations

import io
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import redis

from evalsite import children
from evalsite.console import Console
from evalsite.supervisor import Supervisor


@pytest.fixture
def start(tmp_path: Path, settings) -> Iterator[Callable[[], Supervisor]]:
    """Starts the queue on a data folder of its own."""
    settings.DATA_DIR, settings.QUEUE_SOCKET = tmp_path, tmp_path / "queue.sock"
    supervisors = []

    def begin() -> Supervisor:
        supervisors.append(Supervisor(Console(io.StringIO()), tmp_path / "logs", dict(os.environ), tmp_path))
        supervisors[-1].start([children.queue()])
        return supervisors[-1]

    yield begin
    for supervisor in supervisors:
        supervisor.stop()


@pytest.fixture
def client(tmp_path: Path) -> redis.Redis:
    return redis.Redis(unix_socket_path=str(tmp_path / "queue.sock"))


def test_what_was_queued_outlives_a_stop(start: Callable[[], Supervisor], client: redis.Redis) -> None:
    first = start()
    client.rpush("celery", "a task")
    first.stop()
    start()
    assert client.lrange("celery", 0, -1) == [b"a task"]


def test_an_unreadable_journal_is_set_aside_and_the_queue_starts(
    start: Callable[[], Supervisor], client: redis.Redis, tmp_path: Path
) -> None:
    first = start()
    client.rpush("celery", "a task")
    first.stop()
    journal = next((tmp_path / "queue").rglob("*.incr.aof"))
    journal.write_bytes(journal.read_bytes() + b"not a command\r\nat all\r\n")
    start()
    assert client.ping() and not client.exists("celery")
    assert len(list(tmp_path.glob("queue-damaged-*"))) == 1


def test_a_queue_that_was_left_behind_is_ended_first(
    start: Callable[[], Supervisor], client: redis.Redis, tmp_path: Path
) -> None:
    (tmp_path / "queue").mkdir()
    orphan = subprocess.Popen(children.queue().command, stdout=subprocess.DEVNULL)
    while not (tmp_path / "queue.sock").exists():
        assert orphan.poll() is None
    start()
    assert orphan.wait(10) == 0
    assert client.info("server")["process_id"] != orphan.pid


def test_only_its_owner_reaches_the_queue(start: Callable[[], Supervisor], tmp_path: Path) -> None:
    start()
    assert (tmp_path / "queue.sock").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "queue").stat().st_mode & 0o777 == 0o700
