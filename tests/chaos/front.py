"""The one address that people know: passes each connection on to a web process that runs, as a proxy does."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from contextlib import suppress

CHUNK_BYTES = 65536


class Front:
    """A balancer of TCP connections. A connection ends on both sides when either ends it."""

    def __init__(self, ports: Sequence[int], rng: random.Random) -> None:
        self._ports = tuple(ports)
        self._rng = rng
        self._open: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    async def start(self, port: int) -> None:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", port, backlog=1000)

    async def stop(self) -> None:
        if self._server:
            self._server.close()
        self.cut(1.0)

    def cut(self, share: float) -> int:
        """Lose a share of all connections at once, as a network does; their number."""
        lost = [writer for writer in self._open if self._rng.random() < share]
        for writer in lost:
            writer.transport.abort()
        return len(lost)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        behind = await self._connect()
        if behind is None:
            writer.transport.abort()
            return
        self._open.add(writer)
        try:
            await asyncio.gather(_pass_on(reader, behind[1]), _pass_on(behind[0], writer))
        finally:
            self._open.discard(writer)

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter] | None:
        for port in self._rng.sample(self._ports, len(self._ports)):
            with suppress(OSError):
                return await asyncio.open_connection("127.0.0.1", port)
        return None


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(CHUNK_BYTES):
            writer.write(data)
            await writer.drain()
    except OSError:
        pass
    finally:
        writer.close()
