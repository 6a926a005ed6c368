"""The socket of a talk: parse a frame, call one service, answer."""

from __future__ import annotations

import asyncio
import json
import logging
import math
import time
from collections.abc import Awaitable, Callable
from http.cookies import CookieError
from typing import Any, ClassVar
from uuid import UUID

from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer
from django.http import parse_cookie

from chat import frames, turns
from chat.errors import ChatError, FrameRefused, TooFast
from chat.events import Accepted, Event, MessageEvent, Notice, Phase, Refused, State, group_name
from chat.identity import worker_id_of
from chat.limits import Buckets
from chat.models import Conversation

logger = logging.getLogger(__name__)

BINARY, TOO_BIG = 1003, 1009
ELSEWHERE, FOREIGN, FLOOD = 4001, 4403, 4429
#: A typing person's talk is noted as alive at most this often.
PRESENCE_INTERVAL_S = 30.0
#: How often a socket that waits for its partner asks the database whether an event was lost.
WATCH_INTERVAL_S = 5.0
CONTINUED = "This conversation is open in another tab or window and goes on there."
THANKS = "Thank you. The reply is reported; you can go on or leave."


class TalkConsumer(AsyncWebsocketConsumer):
    """One browser tab in one talk.

    ``delivered`` is the last position that this tab surely has; None until it resumed or said something.
    """

    buckets: ClassVar[Buckets] = Buckets()
    conversation_id: UUID
    participation_id: UUID
    group = ""
    delivered: int | None = None
    phase = ""
    watching: asyncio.Task[None] | None = None

    # --- Opening and closing ---

    async def connect(self) -> None:
        """Only the talk's own worker gets in, and the newest tab sends the older ones away."""
        talk = await database_sync_to_async(own_talk)(self.scope)
        if talk is None:
            await self.close(code=FOREIGN)
            return
        self.conversation_id, self.participation_id = talk
        self.bucket = self.buckets.of(self.conversation_id)
        self.opened_ns, self.seen_at = time.time_ns(), -math.inf
        self.group = group_name(self.conversation_id)
        await self.channel_layer.group_add(self.group, self.channel_name)
        await self.accept()
        await self.channel_layer.group_send(
            self.group, {"type": "talk.newer", "opened_ns": self.opened_ns, "channel": self.channel_name}
        )
        await self.put(await database_sync_to_async(current_state)(self.conversation_id))
        self.watching = asyncio.create_task(self.watch())

    async def disconnect(self, code: int) -> None:
        if self.watching:
            self.watching.cancel()
        if self.group:
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
            await self.handle(text_data)
        elif self.bucket.is_flooded:
            await self.close(code=FLOOD)
        else:
            await self.put(Refused("", TooFast.code, TooFast.message))

    async def handle(self, text: str) -> None:
        """Every refusal has one shape, and the socket lives on."""
        client_id = ""
        try:
            frame = frames.parse(text)
            client_id = getattr(frame, "client_id", "")
            await self.ROUTES[type(frame)](self, frame)
        except FrameRefused as refusal:
            await self.put(Refused(refusal.client_id, refusal.code, str(refusal)))
        except ChatError as refusal:
            await self.put(Refused(client_id, refusal.code, str(refusal)))

    async def on_say(self, frame: frames.Say) -> None:
        message = await self.service(turns.say, frame.text, frame.client_id)
        if self.delivered is not None and message.position > self.delivered + 1:
            await self.catch_up(self.delivered)
        self.delivered = max(self.delivered or 0, message.position)
        await self.put(Accepted(frame.client_id, message.position))

    async def on_typing(self, frame: frames.StillTyping) -> None:
        now = time.monotonic()
        if now - self.seen_at >= PRESENCE_INTERVAL_S:
            self.seen_at = now
            await database_sync_to_async(turns.note_presence)(self.conversation_id)

    async def on_finish(self, frame: frames.Finish) -> None:
        await self.service(turns.finish)

    async def on_report(self, frame: frames.ReportReply) -> None:
        await self.service(turns.report, frame.position, frame.reason)
        await self.put(Notice("reported", THANKS))

    async def on_resume(self, frame: frames.Resume) -> None:
        await self.catch_up(frame.after)
        await self.put(await database_sync_to_async(current_state)(self.conversation_id))

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
                await self.catch_up(self.delivered)

    async def talk_check(self, message: dict[str, Any]) -> None:
        """Still waiting: the reply, or the end of the talk, may be stored although its event was lost."""
        state = await database_sync_to_async(current_state)(self.conversation_id)
        if state.phase == self.phase:
            return
        if self.delivered is not None:
            await self.catch_up(self.delivered)
        await self.put(state)

    async def watch(self) -> None:
        """Have a waiting socket check, as a message of its own, so that it interrupts nothing."""
        while True:
            await asyncio.sleep(WATCH_INTERVAL_S)
            if self.phase == Phase.PARTNER:
                try:
                    await self.channel_layer.send(self.channel_name, {"type": "talk.check"})
                except Exception:
                    logger.warning("a waiting socket could not check: the queue cannot be reached")


class Unknown(AsyncWebsocketConsumer):
    """Any other path: refused like a talk that is not yours."""

    async def connect(self) -> None:
        await self.close(code=FOREIGN)


def own_talk(scope: dict[str, Any]) -> tuple[UUID, UUID] | None:
    """The ids of the talk in the path and of its participation, if the cookie's worker has it; one query."""
    worker_id = worker_id_of(_cookies(scope))
    conversation_id = scope["url_route"]["kwargs"]["conversation_id"]
    if worker_id is None:
        return None
    return (
        Conversation.objects.filter(pk=conversation_id, participation__worker=worker_id)
        .values_list("pk", "participation_id")
        .first()
    )


def _cookies(scope: dict[str, Any]) -> dict[str, str]:
    header = next((value for name, value in scope["headers"] if name == b"cookie"), b"")
    try:
        return parse_cookie(header.decode("latin-1"))
    except CookieError:
        return {}


def current_state(conversation_id: UUID) -> State:
    return turns.state_of(_talk(conversation_id))


def messages_after(conversation_id: UUID, after: int) -> list[MessageEvent]:
    return turns.resume(_talk(conversation_id), after)


def _talk(conversation_id: UUID) -> Conversation:
    return Conversation.objects.select_related("participation__study").get(pk=conversation_id)
