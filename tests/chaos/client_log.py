"""What people's browsers saw, in the order in which they saw it: the other side of what the database says."""

from __future__ import annotations

import asyncio
import json
import time
from collections import defaultdict
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import IO


class Kind(StrEnum):
    """What happened to a person."""

    STARTED = "started"  # a talk
    CONNECTED = "connected"  # its socket, for the first time or again
    SAID = "said"  # before it is sent
    ACCEPTED = "accepted"
    HEARD = "heard"  # any message that the socket brought; ``speaker`` tells whose
    RATING = "rating"  # before it is sent
    RATED = "rated"
    ENDED = "ended"  # by the site
    LEFT = "left"
    CODE = "code"  # the completion code; empty when none was due
    WAITED = "waited"  # ``text`` tells for what
    STUCK = "stuck"  # ``text`` tells how


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that one person saw or did. ``at_s`` counts from the beginning of the log; ids are in hex."""

    person: int
    kind: Kind
    talk: str = ""
    position: int = 0
    speaker: str = ""
    text: str = ""
    client_id: str = ""
    seconds: float = 0.0
    scores: tuple[tuple[str, int], ...] = ()
    at_s: float = 0.0


class ClientLog:
    """Events of all people, kept and written to a file as they come; others may wait for the next of a kind."""

    def __init__(self, path: Path) -> None:
        self.events: list[Event] = []
        self._file: IO[str] = path.open("a", buffering=1)
        self._begun = time.monotonic()
        self._waiting: dict[Kind, set[asyncio.Event]] = defaultdict(set)

    def note(self, person: int, kind: Kind, **fields: object) -> None:
        """Append an event; the time is now."""
        event = Event(person, kind, at_s=round(time.monotonic() - self._begun, 3), **fields)  # type: ignore[arg-type]
        self.events.append(event)
        self._file.write(json.dumps({name: value for name, value in asdict(event).items() if value}) + "\n")
        for waiter in self._waiting[kind]:
            waiter.set()

    async def next(self, kind: Kind, limit_s: float) -> bool:
        """Wait for the next event of a kind; False when none came."""
        happened = asyncio.Event()
        self._waiting[kind].add(happened)
        try:
            async with asyncio.timeout(limit_s):
                await happened.wait()
        except TimeoutError:
            return False
        finally:
            self._waiting[kind].discard(happened)
        return True

    def close(self) -> None:
        self._file.close()
