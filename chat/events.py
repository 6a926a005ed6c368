"""What a browser receives over the socket: every frame, in this one place.

Nothing here names a model, an arm or a speed; blindness depends on it and a test walks these classes.
Events are wake-up calls: the database is the truth, and one that is lost is caught up by position.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar, Literal
from uuid import UUID

from channels.layers import get_channel_layer
from django.db import transaction

logger = logging.getLogger(__name__)

#: A publish or subscription that takes longer counts as failed.
LAYER_LIMIT_S = 2.0
#: As long as a waiting page takes to look by itself.
EVENT_LIFETIME_S = 5.0


class Phase(StrEnum):
    """Whose move it is, as the browser sees it."""

    YOURS = "yours"
    PARTNER = "partner"
    RATING = "rating"
    COMPLETE = "complete"
    ENDED = "ended"


class Event:
    """Base of the frames; ``to_frame`` is the JSON object that is sent."""

    type: ClassVar[str]

    def to_frame(self) -> dict[str, Any]:
        return {"type": self.type, **asdict(self)}  # type: ignore[call-overload]


@dataclass(frozen=True, slots=True)
class State(Event):
    """Where the talk stands: ``turn`` messages of yours said, ``of`` needed before rating."""

    type = "state"
    phase: Phase
    turn: int
    of: int
    words: int
    may_finish: bool


@dataclass(frozen=True, slots=True)
class MessageEvent(Event):
    """One stored message; ``at`` is ISO 8601 in UTC."""

    type = "message"
    position: int
    speaker: Literal["you", "partner"]
    text: str
    at: str


@dataclass(frozen=True, slots=True)
class Accepted(Event):
    """Your message is stored; the same ``client_id`` again is answered with the same position."""

    type = "accepted"
    client_id: str
    position: int


@dataclass(frozen=True, slots=True)
class Refused(Event):
    """The one shape of an error. ``client_id`` is empty when the frame had none."""

    type = "refused"
    client_id: str
    code: str
    reason: str


@dataclass(frozen=True, slots=True)
class Typing(Event):
    """Your partner is writing."""

    type = "typing"


@dataclass(frozen=True, slots=True)
class Notice(Event):
    """Something to tell the person: ``elsewhere``, ``failed``, ``abandoned``, ``withdrawn``, ``reported``."""

    type = "notice"
    code: str
    text: str


def field_names(event: type[Event]) -> set[str]:
    """The keys of an event's frame."""
    return {"type", *(f.name for f in fields(event))}  # type: ignore[arg-type]


def stamp(at: datetime) -> str:
    """A time as browsers get it: to the second, since finer times would tell models apart."""
    return at.replace(microsecond=0).isoformat()


def group_name(conversation_id: UUID) -> str:
    """The channel layer's group of a talk; browsers never name one."""
    return f"talk.{conversation_id.hex}"


def publish_on_commit(conversation_id: UUID, *events: Event, position: int) -> None:
    """Send events to a talk's sockets once the open transaction is committed.

    ``position`` is the last stored position that the events describe; a socket that is already further drops
    them as stale. A queue that is down loses the events, never the transaction.
    """
    message = {"type": "talk.event", "position": position, "frames": [event.to_frame() for event in events]}
    transaction.on_commit(lambda: publisher().send(group_name(conversation_id), message))


class Publisher:
    """Sends to the channel layer from any thread, in order, on one event loop of its own.

    A layer that is away takes nobody's time: what could not be sent for EVENT_LIFETIME_S is dropped, as pages have
    caught up by then. ``async_to_sync`` makes a loop a call, which leaks connections or closes loops in use in worker
    threads (channels_redis #332, #125).
    """

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._waiting: asyncio.Queue[tuple[float, str, dict[str, Any]]] = asyncio.Queue()
        self._is_away = False
        self._thread = threading.Thread(target=self._run, name="event-publisher", daemon=True)
        self._thread.start()

    def send(self, group: str, message: dict[str, Any]) -> None:
        """Queue one message; returns at once."""
        item = (time.monotonic() + EVENT_LIFETIME_S, group, message)
        self._loop.call_soon_threadsafe(self._waiting.put_nowait, item)

    def flush(self, limit_s: float) -> None:
        """Wait until everything is sent, or for so many seconds."""
        done = asyncio.run_coroutine_threadsafe(self._waiting.join(), self._loop)
        try:
            done.result(limit_s)
        except TimeoutError:
            done.cancel()
            logger.warning("events were left unsent; pages catch up by position")

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._drain())

    async def _drain(self) -> None:
        while True:
            until, group, message = await self._waiting.get()
            try:
                if time.monotonic() < until:
                    await self._publish(group, message)
            finally:
                self._waiting.task_done()

    async def _publish(self, group: str, message: dict[str, Any]) -> None:
        """The socket catches up by position; a lost wake-up must not stop the next."""
        try:
            async with asyncio.timeout(LAYER_LIMIT_S):
                await get_channel_layer().group_send(group, message)
        except Exception as error:
            if not self._is_away:
                logger.error("events are not published", extra={"error": type(error).__name__})
            self._is_away = True
        else:
            if self._is_away:
                logger.info("events are published again")
            self._is_away = False


FLUSH_LIMIT_S = 5.0
_publisher: Publisher | None = None
_publisher_lock = threading.Lock()


def publisher() -> Publisher:
    """The process's publisher, started at first use (a forked child starts its own)."""
    global _publisher
    with _publisher_lock:
        if _publisher is None or not _publisher._thread.is_alive():
            _publisher = Publisher()
        return _publisher


def flush(limit_s: float = FLUSH_LIMIT_S) -> None:
    """For a process that is about to end: the publisher's thread ends with it, sent or not."""
    if _publisher is not None:
        _publisher.flush(limit_s)
