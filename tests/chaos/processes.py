"""Processes that may be killed and come back: each in its own session, with its log, started again when it ends."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

TETHER = Path(__file__).resolve().parents[2] / "evalsite" / "tether.py"
#: How often each process is looked at, and how soon one that ended by itself is started again.
LOOK_S, AGAIN_S = 0.2, 1.0
#: A process that was asked to stop and did not is killed after this.
GRACE_S = 15.0


@dataclass
class Process:
    """A program that should run. ``ready`` gets its process id and may take seconds: it is asked on a thread.

    ``user`` is who runs it where we are root and the program refuses root.
    """

    name: str
    command: Sequence[str]
    log: Path
    environment: Mapping[str, str] | None = None
    ready: Callable[[int], bool] = lambda pid: True
    prepare: Callable[[], None] = lambda: None
    user: str | None = None
    folder: Path | None = None
    #: Ready anyway after this long; 0 is never.
    ready_after_s: float = 0.0
    stop_signal: signal.Signals = signal.SIGTERM
    process: subprocess.Popen[bytes] | None = None
    is_wanted: bool = False
    is_ready: bool = False
    is_frozen: bool = False
    started_at: float = 0.0
    log_from: int = 0
    ended_by_itself: int = 0
    start_s: list[float] = field(default_factory=list)

    def start(self) -> None:
        """Start it; from the main thread, with which it ends."""
        self.prepare()
        command = list(self.command)
        if self.user is None:  # another user need not be able to read this project
            command = [
                sys.executable,
                "-I",
                "-S",
                str(TETHER),
                str(os.getpid()),
                str(int(signal.SIGKILL)),
                *command,
            ]
        with self.log.open("ab") as log:
            self.log_from = log.tell()
            self.process = subprocess.Popen(
                command,
                cwd=self.folder or TETHER.parents[1],
                env=None if self.environment is None else dict(self.environment),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                **user_of(self.user),
            )
        self.is_wanted, self.started_at = True, time.monotonic()
        self.is_ready = self.is_frozen = False

    @property
    def is_running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def send(self, number: signal.Signals) -> None:
        """To the process; what must reach all that it started goes to its whole session."""
        if self.process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            if number in (signal.SIGKILL, signal.SIGSTOP, signal.SIGCONT):
                os.killpg(self.process.pid, number)
            else:
                self.process.send_signal(number)

    async def stop(self, number: signal.Signals) -> None:
        """Have it end, by whatever way, and stay away."""
        self.is_wanted = self.is_ready = False
        self.send(number)
        deadline = time.monotonic() + GRACE_S
        while self.is_running:
            if time.monotonic() > deadline:
                self.send(signal.SIGKILL)
            await asyncio.sleep(0.02)
        self.send(signal.SIGKILL)  # what it left behind

    async def look(self) -> None:
        """Start it again if it ended by itself; ask whether it is ready if it was not."""
        if not self.is_wanted or self.process is None:
            return
        if not self.is_running:
            self.ended_by_itself += 1
            await asyncio.sleep(AGAIN_S)
            if self.is_wanted:
                self.start()
            return
        if not self.is_ready and not self.is_frozen:
            process, pid = self.process, self.process.pid
            is_late = 0 < self.ready_after_s < time.monotonic() - self.started_at
            if (is_late or await asyncio.to_thread(self.ready, pid)) and process is self.process:
                self.is_ready = self.is_wanted
                self.start_s.append(time.monotonic() - self.started_at)

    def has_logged(self, text: bytes) -> bool:
        """Since its last start."""
        with self.log.open("rb") as log:
            log.seek(self.log_from)
            return text in log.read()

    async def until_ready(self, limit_s: float) -> None:
        """Raises TimeoutError with the end of its log."""
        deadline = time.monotonic() + limit_s
        while not self.is_ready:
            if time.monotonic() > deadline:
                raise TimeoutError(f"{self.name} was not ready within {limit_s:.0f} s:\n{self.last_lines()}")
            await asyncio.sleep(0.05)

    def last_lines(self) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-15:])


def user_of(name: str | None) -> dict[str, object]:
    """Arguments of Popen that run a program as another user, where we may."""
    if name is None or os.getuid() != 0:
        return {}
    return {"user": name, "group": name, "extra_groups": []}


def give_to(folder: Path, user: str) -> None:
    """Make a folder that is a user's own, where we are root."""
    folder.mkdir(mode=0o700)
    if os.getuid() == 0:
        shutil.chown(folder, user, user)


async def keep(processes: Sequence[Process]) -> None:
    """Look after all of them until cancelled."""

    async def one(process: Process) -> None:
        while True:
            await process.look()
            await asyncio.sleep(LOOK_S)

    async with asyncio.TaskGroup() as group:
        for process in processes:
            group.create_task(one(process))
