"""The socket of a talk: parse a frame, call one service, answer."""

from __future__ import annotations

import asyncio
import json
import logging
import math
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from http.cookies import CookieError
from typing import Any, ClassVar
from uuid import UUID

from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer
from django.db import Error as DatabaseError
from django.db import InterfaceError, OperationalError
from django.http import parse_cookie

from chat import frames, metrics, turns
from chat.errors import ChatError, FrameRefused, TooFast, TryAgain
from chat.events import (
    LAYER_LIMIT_S,
    Accepted,
    Event,
    MessageEvent,
    Notice,
    Phase,
    Refused,
    State,
    Typing,
    group_name,
)
from chat.identity import worker_id_of
from chat.limits import Buckets
from chat.models import Conversation
from chat.standing import standing_of, state_of

logger = logging.getLogger(__name__)

BINARY, TOO_BIG, TRY_AGAIN_LATER = 1003, 1009, 1013
ELSEWHERE, FOREIGN, FLOOD = 4001, 4403, 4429
#: A typing person's talk is noted as alive at most this often.
PRESENCE_INTERVAL_S = 30.0
#: How often a socket that waits for its partner, or hears no events, asks the database what it missed.
WATCH_INTERVAL_S = 5.0
CONTINUED = "This conversation is open in another tab or window and goes on there."
#: How often each type of frame came.
COUNTED = {kind: metrics.FRAMES.labels(name) for name, kind in frames.TYPES.items()}
THANKS = "Thank you. The reply is reported; you can go on or leave."


class TalkConsumer(AsyncWebsocketConsumer):
    """One browser tab in one talk.

    ``delivered`` is the last position that this tab surely has; None until it resumed or said something. The
    channel layer and the database may be away at any time: the socket lives on, and looks by itself each
    WATCH_INTERVAL_S whenever an event may have been lost. One thing is handled at a time, under ``handling``.
    """

    buckets: ClassVar[Buckets] = Buckets()
    conversation_id: UUID
    participation_id: UUID
    group = ""
    delivered: int | None = None
    phase = ""
    hears_events = False
    is_behind = False
    is_known = False
    arrived_at = 0.0
    watching: asyncio.Task[None] | None = None

    def __init__(self) -> None:
        super().__init__()
        self.handling = asyncio.Lock()

    async def dispatch(self, message: dict[str, Any]) -> None:
        self.arrived_at = time.perf_counter()
        async with self.handling:
            await super().dispatch(message)

    # --- Opening and closing ---

    async def connect(self) -> None:
        """Only the talk's own worker gets in. How the talk stands is told to a page that has all that was said:
        at once while the talk goes on, later with what a ``resume`` brings.
        """
        # Before anything is waited for: a socket that its browser gave up long ago may get on when a newer one has.
        self.opened_ns, self.seen_at = time.time_ns(), -math.inf
        try:
            talk = await database_sync_to_async(own_talk)(self.scope)
        except DatabaseError as error:
            await self.turn_away(error)
            return
        if talk is None:
            await self.close(code=FOREIGN)
            return
        self.conversation_id, self.participation_id = talk.pk, talk.participation_id
        self.bucket = self.buckets.of(self.conversation_id)
        self.group = group_name(self.conversation_id)
        await self.join()
        await self.accept()
        if talk.state == Conversation.State.CHATTING:
            await self.put(*standing_of(talk))
        self.watching = asyncio.create_task(self.watch())
        metrics.SOCKETS.inc()

    async def turn_away(self, error: DatabaseError) -> None:
        """A browser learns the code of a socket that was opened, and of no other."""
        tell(error, "a socket is turned away")
        await self.accept()
        await self.close(code=TRY_AGAIN_LATER)

    async def join(self) -> None:
        """Hear of the talk's events."""
        try:
            async with asyncio.timeout(LAYER_LIMIT_S):
                await self.channel_layer.group_add(self.group, self.channel_name)
        except Exception as error:
            # The publisher tells of a queue that is away; not each of hundreds of sockets need do so each time.
            logger.debug("a socket hears no events", extra={"error": type(error).__name__})
        else:
            self.hears_events = True

    async def send_older_away(self) -> None:
        """Tell older tabs that somebody is at this one, since it has sent a frame."""
        newer = {"type": "talk.newer", "opened_ns": self.opened_ns, "channel": self.channel_name}
        self.is_known = True
        try:
            async with asyncio.timeout(LAYER_LIMIT_S):
                await self.channel_layer.group_send(self.group, newer)
        except Exception as error:
            self.is_known = False
            logger.debug("older tabs were not told", extra={"error": type(error).__name__})

    async def close(self, code: int | None = None, reason: str | None = None) -> None:
        if self.watching:
            self.watching.cancel()
        await super().close(code, reason)

    async def disconnect(self, code: int) -> None:
        if self.watching:
            self.watching.cancel()
            metrics.SOCKETS.dec()
        if self.group:
            with suppress(Exception):
                async with asyncio.timeout(LAYER_LIMIT_S):
                    await self.channel_layer.group_discard(self.group, self.channel_name)

    async def put(self, *events: Event) -> None:
        for event in events:
            await self.put_frame(event.to_frame())

    async def put_frame(self, frame: dict[str, Any]) -> None:
        if frame["type"] == State.type:
            self.phase = frame["phase"]
        await self.send(json.dumps(frame, ensure_ascii=False))

    # --- From the browser ---

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        if text_data is None:
            await self.close(code=BINARY)
        elif len(text_data.encode("utf-8", "surrogatepass")) > frames.MAX_BYTES:
            await self.close(code=TOO_BIG)
        elif self.bucket.take():
            if self.hears_events and not self.is_known:
                await self.send_older_away()
            await self.handle(text_data)
        elif self.bucket.is_flooded:
            await self.close(code=FLOOD)
        else:
            await self.refuse("", TooFast.code, TooFast.message)

    async def handle(self, text: str) -> None:
        """Every refusal has one shape, and the socket lives on."""
        client_id = ""
        try:
            frame = frames.parse(text)
            COUNTED[type(frame)].inc()
            client_id = getattr(frame, "client_id", "")
            await self.ROUTES[type(frame)](self, frame)
        except FrameRefused as refusal:
            metrics.FRAMES.labels("bad").inc()
            await self.refuse(refusal.client_id, refusal.code, str(refusal))
        except ChatError as refusal:
            await self.refuse(client_id, refusal.code, str(refusal))
        except DatabaseError as error:
            tell(error, "a frame is refused")
            self.is_behind = True
            await self.refuse(client_id, TryAgain.code, TryAgain.message)

    async def refuse(self, client_id: str, code: str, reason: str) -> None:
        metrics.REFUSED.labels(code).inc()
        await self.put(Refused(client_id, code, reason))

    async def on_say(self, frame: frames.Say) -> None:
        """Whoever speaks hears first that it is stored, then all that they have not seen, then whose move it is."""
        message = await self.service(turns.say, frame.text, frame.client_id, frame.typing)
        if self.delivered is not None and message.position > self.delivered + 1:
            await self.catch_up(self.delivered)
        self.delivered = max(self.delivered or 0, message.position)
        await self.put(Accepted(frame.client_id, message.position))
        metrics.ACKNOWLEDGED.observe(time.perf_counter() - self.arrived_at)
        if message.conversation.last_position > self.delivered:
            await self.catch_up(self.delivered)
        await self.put(*standing_of(message.conversation))
        if self.phase == Phase.PARTNER:
            await self.put(Typing())

    async def on_typing(self, frame: frames.StillTyping) -> None:
        now = time.monotonic()
        if now - self.seen_at >= PRESENCE_INTERVAL_S:
            self.seen_at = now
            await database_sync_to_async(turns.note_presence)(self.conversation_id)

    async def on_finish(self, frame: frames.Finish) -> None:
        await self.put(*standing_of(await self.service(turns.finish)))

    async def on_report(self, frame: frames.ReportReply) -> None:
        await self.service(turns.report, frame.position, frame.reason)
        await self.put(Notice("reported", THANKS))

    async def on_resume(self, frame: frames.Resume) -> None:
        self.delivered = frame.after
        await self.bring_up_to_date(frame.after)

    ROUTES: ClassVar[dict[type, Callable[..., Awaitable[None]]]] = {
        frames.Say: on_say,
        frames.StillTyping: on_typing,
        frames.Finish: on_finish,
        frames.ReportReply: on_report,
        frames.Resume: on_resume,
    }

    async def service(self, function: Any, *args: object) -> Any:
        return await database_sync_to_async(function)(self.conversation_id, self.participation_id, *args)

    async def catch_up(self, after: int) -> None:
        """Send what is stored after a position."""
        missing = await database_sync_to_async(messages_after)(self.conversation_id, after)
        self.delivered = max([after, *(message.position for message in missing)])
        await self.put(*missing)

    async def bring_up_to_date(self, after: int | None) -> None:
        """Send what is stored after a position, where one is given, and how the talk stands."""
        talk = await database_sync_to_async(talk_of)(self.conversation_id)
        if after is not None:
            await self.catch_up(after)
        await self.put(*standing_of(talk))
        self.is_behind = False

    # --- From the channel layer ---

    async def talk_newer(self, message: dict[str, Any]) -> None:
        """Of two tabs the one that was opened later stays."""
        if (message["opened_ns"], message["channel"]) > (self.opened_ns, self.channel_name):
            await self.put(Notice("elsewhere", CONTINUED))
            await self.close(code=ELSEWHERE)

    async def talk_event(self, message: dict[str, Any]) -> None:
        """Pass events on: nothing twice, nothing stale, and a gap is filled from the database first."""
        if self.delivered is not None and message["position"] < self.delivered:
            return
        for frame in message["frames"]:
            if frame["type"] != MessageEvent.type:
                await self.put_frame(frame)
            elif self.delivered is None or frame["position"] == self.delivered + 1:
                self.delivered = frame["position"]
                await self.put_frame(frame)
            elif frame["position"] > self.delivered:
                try:
                    await self.catch_up(self.delivered)
                except DatabaseError as error:
                    tell(error, "an event waits")
                    # The state must not come without the messages before it.
                    self.is_behind = True
                    return

    # --- By itself ---

    async def watch(self) -> None:
        """Look each WATCH_INTERVAL_S whether something was missed; what fails is tried again."""
        while True:
            await asyncio.sleep(WATCH_INTERVAL_S)
            async with self.handling:
                try:
                    await self.look()
                except DatabaseError as error:
                    tell(error, "a waiting socket cannot look")
                except OSError:
                    return  # nobody is there any more

    async def look(self) -> None:
        """The reply, or the end of the talk, may be stored although its event was lost."""
        heard_events = self.hears_events
        if not heard_events:
            await self.join()
            if self.hears_events and self.delivered is not None:
                await self.send_older_away()
        if heard_events and not self.is_behind and self.phase != Phase.PARTNER:
            return
        talk = await database_sync_to_async(talk_of)(self.conversation_id)
        if self.is_behind or state_of(talk).phase != self.phase:
            await self.bring_up_to_date(self.delivered)


class Unknown(AsyncWebsocketConsumer):
    """Any other path: refused like a talk that is not yours."""

    async def connect(self) -> None:
        await self.close(code=FOREIGN)


def tell(error: DatabaseError, what: str) -> None:
    """Log a database that is away in a line; anything else is a fault of ours and comes with its trace."""
    if isinstance(error, OperationalError | InterfaceError):
        logger.warning("the database is away: %s", what, extra={"error": type(error).__name__})
    else:
        logger.error("%s", what, exc_info=error)


def own_talk(scope: dict[str, Any]) -> Conversation | None:
    """The talk in the path with its study, if the cookie's worker has it; one query."""
    worker_id = worker_id_of(_cookies(scope))
    if worker_id is None:
        return None
    talks = Conversation.objects.select_related("participation__study")
    return talks.filter(
        pk=scope["url_route"]["kwargs"]["conversation_id"], participation__worker=worker_id
    ).first()


def _cookies(scope: dict[str, Any]) -> dict[str, str]:
    header = next((value for name, value in scope["headers"] if name == b"cookie"), b"")
    try:
        return parse_cookie(header.decode("latin-1"))
    except CookieError:
        return {}


def talk_of(conversation_id: UUID) -> Conversation:
    return Conversation.objects.select_related("participation__study").get(pk=conversation_id)


def messages_after(conversation_id: UUID, after: int) -> list[MessageEvent]:
    return turns.resume(Conversation(pk=conversation_id), after)
