"""Starts a site's processes, watches over them, and stops them together.

Each child has its own session, so that Ctrl-C reaches the supervisor alone, and a tether, so that it does not
outlive it. A child that dies is started again, later each time that it dies soon.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

from evalsite.console import Console
from evalsite.errors import ChildFailed

TETHER = Path(__file__).with_name("tether.py")
POLL_S = 0.1
#: A child that ran this long was well; its next death is restarted at once.
WELL_AFTER_S = 60.0
LONGEST_WAIT_S = 30.0
LOG_LINES_SHOWN = 15
LOG_ROTATED_AT_BYTES = 10_000_000


@dataclass(frozen=True)
class Child:
    """A process that the site needs.

    ``ready`` is asked with the process id until it says yes; ``prepare`` runs before every start.
    ``variables`` are added to the environment of all.
    ``on_orphaned`` is what the kernel sends when the supervisor is killed; all but the queue may be killed.
    """

    name: str
    title: str
    command: tuple[str, ...]
    ready: Callable[[int], bool] = lambda pid: True
    prepare: Callable[[], None] = lambda: None
    ready_within_s: float = 60.0
    grace_s: float = 10.0
    start_attempts: int = 1
    on_orphaned: signal.Signals = signal.SIGKILL
    variables: Mapping[str, str] = field(default_factory=dict)


@dataclass
class Running:
    """A child's process, and how often it has died soon after its start."""

    child: Child
    log: Path
    process: subprocess.Popen[bytes] | None = None
    log_from: int = 0
    started_at: float = 0.0
    restart_at: float = 0.0
    soon_deaths: int = 0
    is_ready: bool = False

    def last_lines(self) -> str:
        """The end of what it wrote since its last start."""
        with contextlib.suppress(OSError), open(self.log, "rb") as file:
            file.seek(self.log_from)
            lines = file.read().decode(errors="replace").splitlines()
            return "\n".join(f"    | {line}" for line in lines[-LOG_LINES_SHOWN:])
        return ""

    def failed(self, how: str) -> ChildFailed:
        """What to raise of it, with its last lines."""
        return ChildFailed(f"{self.child.name} {how}", self.log, self.last_lines())


@dataclass
class Supervisor:
    """Starts children in order, stops them in reverse."""

    console: Console
    logs: Path
    environment: Mapping[str, str]
    working_folder: Path
    running: list[Running] = field(default_factory=list)
    stop_requests: int = 0

    def listen_for_signals(self) -> None:
        """From here on Ctrl-C, SIGTERM or a closed terminal asks for a tidy stop; twice, for a quick one."""

        def request_stop(number: int, frame: FrameType | None) -> None:
            self.stop_requests += 1

        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            # nohup ignores SIGHUP on purpose.
            if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:
                signal.signal(number, request_stop)

    def start(self, children: Sequence[Child]) -> None:
        """Start these together and wait until each is ready.

        Raises ChildFailed with the child's last lines when one stops or is not ready in time.
        """
        self.logs.mkdir(parents=True, exist_ok=True)
        begun = []
        for child in children:
            running = Running(child, self.logs / f"{child.name}.log")
            self.running.append(running)
            begun.append(running)
            self._spawn(running)
        for running in begun:
            with self.console.step(running.child.title):
                self._wait_until_ready(running)
            if self.stop_requests:
                return

    def watch(self) -> None:
        """Keep everything running until a stop is asked for."""
        while not self.stop_requests:
            for running in self.running:
                self._look_after(running)
            time.sleep(POLL_S)

    def stop(self) -> None:
        """Stop every child, the last started first; kill what does not stop in its time."""
        for running in reversed(self.running):
            process = running.process
            if process is None:
                continue
            if process.poll() is None:
                with self.console.step(f"Stopping {running.child.name}"):
                    self._stop_one(process, running.child.grace_s)
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)  # what the child itself left behind
            running.process = None

    def _stop_one(self, process: subprocess.Popen[bytes], grace_s: float) -> None:
        process.terminate()
        deadline = time.monotonic() + grace_s
        while process.poll() is None:
            if time.monotonic() > deadline or self.stop_requests > 1:
                process.kill()
                process.wait()
            self.console.tick()
            time.sleep(POLL_S / 2)

    def _spawn(self, running: Running) -> subprocess.Popen[bytes]:
        child = running.child
        child.prepare()
        with contextlib.suppress(FileNotFoundError):
            if running.log.stat().st_size > LOG_ROTATED_AT_BYTES:
                running.log.replace(running.log.with_suffix(".log.1"))
        tether = [sys.executable, "-I", "-S", str(TETHER), str(os.getpid()), str(int(child.on_orphaned))]
        with open(running.log, "ab") as log:
            running.log_from = log.tell()
            running.process = subprocess.Popen(
                [*tether, *child.command],
                cwd=self.working_folder,
                env={**self.environment, **child.variables},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        running.started_at = time.monotonic()
        running.is_ready = False
        return running.process

    def _wait_until_ready(self, running: Running) -> None:
        child, process = running.child, running.process
        assert process is not None
        deadline = running.started_at + child.ready_within_s
        while not self.stop_requests:
            if process.poll() is not None:
                running.soon_deaths += 1
                if running.soon_deaths >= child.start_attempts:
                    raise running.failed(f"stopped while it started ({how(process)}).")
                process = self._spawn(running)
            if child.ready(process.pid):
                running.is_ready = True
                return
            if time.monotonic() > deadline:
                raise running.failed(f"was not ready within {child.ready_within_s:.0f} s.")
            self.console.tick()
            time.sleep(POLL_S)

    def _look_after(self, running: Running) -> None:
        """One glance at one child: note its death, start it again in time, note that it is back."""
        process, now = running.process, time.monotonic()
        if process is None:
            if now >= running.restart_at:
                self._spawn(running)
        elif process.poll() is not None:
            self._note_death(running, process)
        elif not running.is_ready and running.child.ready(process.pid):
            running.is_ready = True
            self.console.say(f"{time.strftime('%H:%M:%S')}  {running.child.name} is back.")

    def _note_death(self, running: Running, process: subprocess.Popen[bytes]) -> None:
        now = time.monotonic()
        was_well = running.is_ready and now - running.started_at >= WELL_AFTER_S
        wait_s = 0.0 if was_well else min(2.0**running.soon_deaths, LONGEST_WAIT_S)
        running.soon_deaths = 0 if was_well else running.soon_deaths + 1
        running.restart_at = now + wait_s
        running.process = None
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        self.console.say(
            f"{time.strftime('%H:%M:%S')}  {running.child.name} stopped ({how(process)}); starting it again"
            + (f" in {wait_s:.0f} s." if wait_s else ".")
        )
        if lines := running.last_lines():
            self.console.say(lines)


def how(process: subprocess.Popen[bytes]) -> str:
    """How it ended, in words."""
    code = process.returncode
    if code < 0:
        return f"killed by {signal.Signals(-code).name}"
    return f"exit code {code}"
