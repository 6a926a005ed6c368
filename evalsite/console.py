"""What the person who starts a site sees: one line a step, with its time."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from typing import TextIO

#: On a terminal the running step's seconds are redrawn; elsewhere a line is added this often.
REMIND_EVERY_S = 10.0
ERASE_TO_END = "\x1b[K"


class Console:
    """Writes steps and sentences; a closed pipe is no reason to stop a site."""

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream
        self._title = ""
        self._started = self._reminded = 0.0
        self._open = False

    def say(self, text: str = "") -> None:
        """A line of its own; an unfinished step's line is ended first."""
        self.end_line()
        self._write(text + "\n")

    def end_line(self) -> None:
        """Before something else writes to the terminal."""
        if self._open:
            self._write("\n")
            self._open = False

    @contextlib.contextmanager
    def step(self, title: str) -> Iterator[None]:
        """Tell what begins and, when it is over, how long it took."""
        self._title, self._started = title, time.monotonic()
        self._reminded = self._started
        self._write(f"  {title:<34}")
        self._open = True
        yield
        seconds = time.monotonic() - self._started
        rest = ERASE_TO_END if self.stream.isatty() else ""
        self._write(f"{seconds:6.1f} s{rest}\n" if self._open else f"    done after {seconds:.1f} s\n")
        self._open = False

    def tick(self) -> None:
        """Called while a step waits: shows that it still does."""
        now = time.monotonic()
        if self.stream.isatty():
            if now - self._reminded >= 1:
                self._reminded = now
                self._write(f"\r  {self._title:<34}{now - self._started:4.0f} s ...")
                self._write(f"\r  {self._title:<34}")
        elif now - self._reminded >= REMIND_EVERY_S:
            self._reminded = now
            self.say(f"    still at it after {now - self._started:.0f} s ...")

    def write(self, text: str) -> int:
        """The lines of a command that a step calls, indented under it."""
        for line in text.splitlines():
            if line.strip():
                self.say(f"    {line.rstrip()}")
        return len(text)

    def flush(self) -> None:
        with contextlib.suppress(OSError, ValueError):
            self.stream.flush()

    def _write(self, text: str) -> None:
        with contextlib.suppress(OSError, ValueError):
            self.stream.write(text)
            self.stream.flush()
