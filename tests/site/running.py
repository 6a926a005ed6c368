"""A real site for tests: ``manage.py up`` in a data folder of its own, used as a person would."""

from __future__ import annotations

import contextlib
import re
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.site_process import PROJECT, SiteProcess, free_port, fresh_environment

START_LIMIT_S = 180.0
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
        self.process: SiteProcess | None = None

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
        self.process = SiteProcess(self.data, self.port)
        self.process.wait_until_up(START_LIMIT_S)

    def stop(self) -> int:
        """Ctrl-C; the exit code."""
        assert self.process is not None
        return self.process.stop()

    @property
    def sign_in_link(self) -> str:
        """The one-time link that ``up`` printed; empty before that."""
        found = SIGN_IN.search(self.process.said()) if self.process else None
        return found[1] if found else ""

    # --- Asking ---

    def manage(self, *arguments: str, status: int = 0) -> str:
        """Run a command on the site's data; what it printed."""
        command = [sys.executable, "manage.py", *arguments]
        env = fresh_environment() | {"COLLOQUY_DATA": str(self.data), "SITE_URL": self.url}
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


@contextlib.contextmanager
def running_site(data: Path) -> Iterator[Site]:
    """A fresh site with the starter study, stopped at the end."""
    site = Site(data)
    site.prepare()
    try:
        site.start()
        yield site
    finally:
        if site.process is not None:
            site.process.end()
