"""Clients of a bench: sockets that say something, wait for the acknowledgement and the reply, think, and go on.

Everything that was said and heard is kept and compared with the database at the end.
"""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from own_site import Talk
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

#: Sockets that are being opened at once.
OPENING = 20
#: Longer than any turn that is not lost.
PATIENCE_S = 60.0


@dataclass
class Counts:
    """What all clients saw; times in milliseconds of turns that began while they were counted."""

    acknowledged_ms: list[float] = field(default_factory=list)
    replied_ms: list[float] = field(default_factory=list)
    said: int = 0
    accepted: int = 0
    heard: int = 0
    doubled: int = 0
    problems: Counter[str] = field(default_factory=Counter)


@dataclass
class Load:
    """Talks that go on until a time; ``think_s`` is the mean pause, drawn evenly from half to one and a half of it."""

    talks: Sequence[Talk]
    think_s: float
    settling_s: float
    seconds: float
    counts: Counts = field(default_factory=Counts)

    async def run(self) -> Counts:
        gate = asyncio.Semaphore(OPENING)
        self._opened = asyncio.Event()
        self._left = len(self.talks)
        await asyncio.gather(*(self._one(talk, number, gate) for number, talk in enumerate(self.talks)))
        return self.counts

    async def _one(self, talk: Talk, number: int, gate: asyncio.Semaphore) -> None:
        rng = random.Random(number)
        async with gate:
            socket = await connect(
                talk.address,
                additional_headers={"Cookie": talk.cookie},
                origin=talk.address.replace("ws", "http", 1).partition("/ws/")[0],
                compression=None,
                proxy=None,
                ping_interval=None,
                open_timeout=PATIENCE_S,
            )
            await socket.send('{"type": "resume", "after": 0}')
        await self._everybody_is_there()
        try:
            await self._talk(socket, rng, number)
        except (ConnectionClosed, TimeoutError) as error:
            self.counts.problems[type(error).__name__] += 1
        finally:
            await socket.close()

    async def _everybody_is_there(self) -> None:
        self._left -= 1
        if not self._left:
            self._begun = time.monotonic()
            self._opened.set()
        await self._opened.wait()

    async def _talk(self, socket: ClientConnection, rng: random.Random, number: int) -> None:
        counted_from = self._begun + self.settling_s
        ends_at = counted_from + self.seconds
        await asyncio.sleep(rng.uniform(0, self.think_s))
        turn, position = 0, 0
        while time.monotonic() < ends_at:
            turn += 1
            at = time.monotonic()
            self.counts.said += 1
            client_id = f"c{number}-{turn}"
            await socket.send(
                json.dumps({"type": "say", "client_id": client_id, "text": f"this is message number {turn}"})
            )
            accepted_at, replied_at, position = await asyncio.wait_for(
                self._answers(socket, client_id, position), PATIENCE_S
            )
            if at >= counted_from:
                self.counts.acknowledged_ms.append((accepted_at - at) * 1000)
                self.counts.replied_ms.append((replied_at - at) * 1000)
            await asyncio.sleep(self.think_s * rng.uniform(0.5, 1.5))

    async def _answers(
        self, socket: ClientConnection, client_id: str, position: int
    ) -> tuple[float, float, int]:
        """When the acknowledgement and when the reply came, and the reply's position."""
        accepted_at = replied_at = 0.0
        while not (accepted_at and replied_at):
            frame = json.loads(await socket.recv())
            match frame["type"]:
                case "accepted" if frame["client_id"] == client_id and not accepted_at:
                    accepted_at = time.monotonic()
                    self.counts.accepted += 1
                case "message" if frame["speaker"] == "partner":
                    if frame["position"] <= position:
                        self.counts.doubled += 1
                        continue
                    replied_at, position = time.monotonic(), frame["position"]
                    self.counts.heard += 1
                case "refused":
                    self.counts.problems[frame["code"]] += 1
        return accepted_at, replied_at, position


def compare(talks: Sequence[Talk], counts: Counts) -> tuple[int, int]:
    """How many messages were lost, and how many are there twice, by the database.

    Lost is what was accepted or heard and is not stored; twice are positions or client ids with more than one.
    """
    from django.db.models import Count

    from chat.models import Message

    stored = Message.objects.filter(conversation__in=[talk.conversation_id for talk in talks])
    workers = stored.filter(speaker=Message.Speaker.WORKER).count()
    models = stored.filter(speaker=Message.Speaker.MODEL).count()
    lost = max(0, counts.accepted - workers) + max(0, counts.heard - models)
    per_position = stored.values("conversation", "position").annotate(n=Count("id")).filter(n__gt=1).count()
    replies_said_twice = (
        stored.filter(speaker=Message.Speaker.MODEL)
        .values("conversation", "text")
        .annotate(n=Count("id"))
        .filter(n__gt=1)
        .count()
    )
    return lost, counts.doubled + per_position + replies_said_twice
