"""A visitor's patience with a site whose processes come and go, against small servers that do just that."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from websockets.asyncio.server import ServerConnection, serve

from ratings.simulation import errors
from ratings.simulation.browserless import Visitor
from tests.site_process import free_port


@asynccontextmanager
async def pages(port: int, *statuses: int) -> AsyncIterator[None]:
    """A web server that answers with these in turn, the last one for ever, each on a connection of its own."""
    left = list(statuses)

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        status = left.pop(0) if len(left) > 1 else left[0]
        writer.write(f"HTTP/1.1 {status} X\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok".encode())
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", port)
    try:
        yield
    finally:
        server.close()


@pytest.fixture
async def visitor() -> AsyncIterator[Visitor]:
    async with Visitor(f"http://127.0.0.1:{free_port()}", "study", patience_s=10) as visitor:
        yield visitor


def port_of(visitor: Visitor) -> int:
    return int(visitor.site.rpartition(":")[2])


async def test_a_site_that_never_answered_is_not_waited_for(visitor: Visitor) -> None:
    begun = time.monotonic()
    with pytest.raises(errors.SiteDown):
        await visitor.get("/")
    assert time.monotonic() - begun < visitor.patience_s / 2


async def test_a_site_that_answered_before_is_waited_for(visitor: Visitor) -> None:
    async with pages(port_of(visitor), 200):
        await visitor.get("/")
    waiting = asyncio.create_task(visitor.get("/"))
    await asyncio.sleep(0.3)
    assert not waiting.done()
    async with pages(port_of(visitor), 200):
        assert (await waiting).status == 200


async def test_a_page_that_is_away_for_a_moment_is_loaded_again(visitor: Visitor) -> None:
    async with pages(port_of(visitor), 200, 503, 502, 200):
        await visitor.get("/")
        assert (await visitor.get("/")).status == 200


async def test_the_wish_to_finish_outlives_its_connection(visitor: Visitor) -> None:
    received: list[str] = []

    async def talk(socket: ServerConnection) -> None:
        async for raw in socket:
            received.append(json.loads(raw)["type"])
            if received == ["resume", "finish"]:
                return await socket.close(1012)
            if received[-1] == "finish":
                await socket.send(json.dumps({"type": "state", "phase": "rating"}))

    async with serve(talk, "127.0.0.1", port_of(visitor)):
        await visitor.connect()
        await visitor.finish()
    assert received == ["resume", "finish", "resume", "finish"]
    assert visitor.state["phase"] == "rating"
