"""A real site for tests: ``manage.py up`` in a data folder of its own, used as a person would."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).resolve().parents[2]
START_LIMIT_S = 180.0
STOP_LIMIT_S = 30.0
#: Ids that no text holds by chance, so that a scan for them means something.
FIRST_ID = 918_273_000
SEQUENCES = ("modelhub_registeredmodel", "modelhub_revision", "chat_arm", "chat_seedcontext")
SIGN_IN = re.compile(r"(\S+/signin/\S+)")


class Site:
    """A running site and its data folder."""

    def __init__(self, data: Path) -> None:
        self.data = data
        self.port = free_port()
        self.url = f"http://localhost:{self.port}"
        self.process: subprocess.Popen[str] | None = None
        self.said: list[str] = []

    # --- Running ---

    def prepare(self) -> None:
        """Make the database and let its ids begin high."""
        self.manage("migrate", "--verbosity", "0")
        with self._database("rw") as database:
            places = ",".join("?" * len(SEQUENCES))
            database.execute(f"DELETE FROM sqlite_sequence WHERE name IN ({places})", SEQUENCES)
            database.executemany(
                "INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)",
                [(name, FIRST_ID) for name in SEQUENCES],
            )

    def start(self) -> None:
        """Start it, and wait until it has printed its links."""
        command = [sys.executable, "manage.py", "up", "--data", str(self.data), "--port", str(self.port)]
        self.process = subprocess.Popen(
            command,
            cwd=PROJECT,
            env=environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.said = []
        threading.Thread(target=self._listen, args=(self.process,), daemon=True).start()
        end = time.monotonic() + START_LIMIT_S
        while not self.sign_in_link:
            if self.process.poll() is not None or time.monotonic() > end:
                raise AssertionError("the site did not start:\n" + "".join(self.said) + self.logs()[-3000:])
            time.sleep(0.05)

    def stop(self) -> int:
        """Ctrl-C; the exit code."""
        assert self.process is not None
        self.process.send_signal(signal.SIGINT)
        try:
            return self.process.wait(STOP_LIMIT_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise

    def _listen(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        self.said.extend(process.stdout)

    @property
    def sign_in_link(self) -> str:
        """The one-time link that ``up`` printed; empty before that."""
        return next((found[1] for line in list(self.said) if (found := SIGN_IN.search(line))), "")

    # --- Asking ---

    def manage(self, *arguments: str, status: int = 0) -> str:
        """Run a command on the site's data; what it printed."""
        command = [sys.executable, "manage.py", *arguments]
        env = environment() | {"COLLOQUY_DATA": str(self.data), "SITE_URL": self.url}
        done = subprocess.run(command, cwd=PROJECT, env=env, capture_output=True, text=True, timeout=240)
        assert done.returncode == status, f"{command}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done.stdout + done.stderr

    def rows(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        """Read the database past all code of ours."""
        with self._database("ro") as database:
            return database.execute(query, values).fetchall()

    def one(self, query: str, *values: Any) -> Any:
        return self.rows(query, *values)[0][0]

    def write(self, query: str, *values: Any) -> None:
        """Change the database past all code of ours."""
        with self._database("rw") as database:
            database.execute(query, values)

    @contextlib.contextmanager
    def _database(self, mode: str) -> Iterator[sqlite3.Connection]:
        path = self.data / "colloquy.sqlite3"
        connection = sqlite3.connect(f"file:{path}?mode={mode}", uri=True, timeout=20)
        try:
            with connection:
                yield connection
        finally:
            connection.close()

    def logs(self) -> str:
        """Everything that the site's processes have logged."""
        return "".join(path.read_text() for path in sorted((self.data / "logs").glob("*.log")))


def free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return int(listening.getsockname()[1])


def environment() -> dict[str, str]:
    """This process's, without what would lead the site to another one's database or queue."""
    taken = ("COLLOQUY_DATA", "DATABASE_URL", "REDIS_URL", "BROKER_URL", "SITE_URL")
    return {name: value for name, value in os.environ.items() if name not in taken}


@contextlib.contextmanager
def running_site(data: Path) -> Iterator[Site]:
    """A fresh site with the starter study, stopped at the end."""
    site = Site(data)
    site.prepare()
    try:
        site.start()
        yield site
    finally:
        if site.process is not None and site.process.poll() is None:
            site.stop()
