"""What a browser does on the page of a talk, over the real ASGI application."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from asgiref.testing import ApplicationCommunicator
from django.conf import settings

ORIGIN = "http://localhost"
#: A frame that is due comes at once; this only bounds a failing test.
LIMIT_S = 20.0


@dataclass(frozen=True)
class Said:
    """A message frame."""

    position: int
    speaker: str
    text: str
    at: str


class TalkPage:
    """One tab. ``frames`` keeps everything that it received."""

    def __init__(
        self,
        talk_id: UUID | str,
        *,
        cookie: str | None = None,
        origin: str | None = ORIGIN,
        path: str = "",
        address: str = "",
    ) -> None:
        from evalsite.asgi import application

        headers: list[tuple[bytes, bytes]] = [(b"host", b"localhost")]
        if cookie is not None:
            headers.append((b"cookie", f"{settings.WORKER_COOKIE_NAME}={cookie}".encode()))
        if origin is not None:
            headers.append((b"origin", origin.encode()))
        scope = {
            "type": "websocket",
            "path": path or f"/ws/t/{talk_id}/",
            "query_string": b"",
            "headers": headers,
            "subprotocols": [],
        }
        if address:
            scope["client"] = [address, 50_000]
        self.socket = ApplicationCommunicator(application, scope)
        self.frames: list[dict[str, Any]] = []
        self.is_open = False
        self.close_code: int | None = None

    async def connect(self) -> bool:
        """Whether the server let this tab in; otherwise ``close_code`` says why not."""
        await self.socket.send_input({"type": "websocket.connect"})
        answer = await self.socket.receive_output(timeout=LIMIT_S)
        self.is_open = answer["type"] == "websocket.accept"
        self.close_code = None if self.is_open else answer.get("code", 1000)
        return self.is_open

    async def drop(self) -> None:
        """The connection is lost."""
        self.is_open = False
        if not self.socket.future.done():
            await self.socket.send_input({"type": "websocket.disconnect", "code": 1006})
            await self.socket.wait(timeout=LIMIT_S)

    async def send(self, **frame: object) -> None:
        await self.send_text(json.dumps(frame))

    async def send_text(self, text: str) -> None:
        await self.socket.send_input({"type": "websocket.receive", "text": text})

    async def send_bytes(self, data: bytes) -> None:
        await self.socket.send_input({"type": "websocket.receive", "bytes": data})

    async def say(self, text: str, client_id: str = "c1") -> dict[str, Any]:
        """Say something; the frame that accepts or refuses it."""
        await self.send(type="say", client_id=client_id, text=text)
        return await self.until("accepted", "refused")

    async def next(self) -> dict[str, Any]:
        """The next frame; raises Closed."""
        output = await self.socket.receive_output(timeout=LIMIT_S)
        if output["type"] == "websocket.close":
            self.is_open, self.close_code = False, output.get("code", 1000)
            raise Closed(self.close_code)
        frame = json.loads(output["text"])
        self.frames.append(frame)
        return frame

    async def until(self, *types: str) -> dict[str, Any]:
        """The next frame of one of these types; those before it are kept in ``frames``."""
        while (frame := await self.next())["type"] not in types:
            pass
        return frame

    async def phase(self, *phases: str) -> dict[str, Any]:
        """The next state in one of these phases."""
        while (frame := await self.until("state"))["phase"] not in phases:
            pass
        return frame

    async def messages(self, n: int) -> list[Said]:
        """The next ``n`` messages."""
        found = [await self.until("message") for _ in range(n)]
        return [Said(**{key: value for key, value in frame.items() if key != "type"}) for frame in found]

    async def closed(self) -> int:
        """Read on until the server closes the socket; the close code."""
        try:
            while True:
                await self.next()
        except Closed as closed:
            return closed.code

    async def silent(self, ignoring: Iterable[str] = (), limit_s: float = 0.2) -> bool:
        """Whether nothing but the ignored types comes for a while."""
        end = asyncio.get_running_loop().time() + limit_s
        while (left := end - asyncio.get_running_loop().time()) > 0:
            if not await self.socket.receive_nothing(timeout=left, interval=0.01):
                frame = await self.next()
                if frame["type"] not in ignoring:
                    return False
        return True


class Closed(Exception):
    """The server closed the socket."""

    def __init__(self, code: int) -> None:
        super().__init__(f"closed with {code}")
        self.code = code
