"""What must hold before a site starts. Each failure is one sentence that says what to do."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import os
import shutil
import socket
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from evalsite.errors import StartRefused

#: The database, the queue's journal and the logs must be able to grow.
NEEDED_BYTES = 200_000_000
#: Processes of a killed site take a moment to let go of its port.
PORT_PATIENCE_S = 2.0
WILDCARDS = ("0.0.0.0", "::", "")  # noqa: S104 - compared with, not bound to
RECORD = "up.json"


@dataclass(frozen=True)
class Address:
    """Where the site listens."""

    host: str
    port: int

    @property
    def url(self) -> str:
        """The address that links show: this machine's own when the site listens on every one."""
        host = self.host
        if host in WILDCARDS:
            host = own_address()
        elif host in ("127.0.0.1", "::1"):
            host = "localhost"
        return f"http://[{host}]:{self.port}" if ":" in host else f"http://{host}:{self.port}"

    @property
    def local(self) -> tuple[str, int]:
        """Where this machine itself reaches it."""
        return {"0.0.0.0": "127.0.0.1", "": "127.0.0.1", "::": "::1"}.get(self.host, self.host), self.port  # noqa: S104


def own_address() -> str:
    """The address of the interface that leads outside; no packet is sent."""
    with contextlib.suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(("192.0.2.1", 9))
        return str(probe.getsockname()[0])
    return "localhost"


def check_folder(folder: Path, needed_bytes: int = NEEDED_BYTES) -> None:
    """Refuse a data folder that cannot be written or has no room."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as probe:
            probe.write(b"x" * 4096)
            probe.flush()
        free = shutil.disk_usage(folder).free
    except OSError as error:
        raise StartRefused(
            f"The data folder {folder} cannot be written ({error.strerror}): "
            f"{'free some space' if error.errno == errno.ENOSPC else 'name another one with --data'}."
        ) from None
    if free < needed_bytes:
        raise StartRefused(
            f"The disk of {folder} has {free / 1e6:.0f} MB free and a site needs {needed_bytes / 1e6:.0f}: "
            "free some space, or name a folder on another disk with --data."
        )


def check_port(address: Address) -> None:
    """Refuse an address that cannot be listened on."""
    deadline = time.monotonic() + PORT_PATIENCE_S
    while (problem := _port_problem(address)) is not None:
        if problem.errno != errno.EADDRINUSE or time.monotonic() > deadline:
            raise StartRefused(_port_sentence(address, problem))
        time.sleep(0.1)


def _port_problem(address: Address) -> OSError | None:
    try:
        found = socket.getaddrinfo(
            address.host or None, address.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
        for family, kind, protocol, _, where in found[:1]:
            with socket.socket(family, kind, protocol) as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind(where)
                probe.listen(1)
    except OSError as error:
        return error
    return None


def _port_sentence(address: Address, problem: OSError) -> str:
    if problem.errno == errno.EADDRINUSE:
        return (
            f"Port {address.port} is taken by another program: stop that one, or choose another port with "
            f"--port {address.port + 1}."
        )
    if problem.errno == errno.EACCES:
        return f"Port {address.port} needs more rights than this user has: choose one above 1023 with --port."
    return f"Cannot listen on {address.host}:{address.port} ({problem.strerror}): check --host and --port."


@contextlib.contextmanager
def sole_use(folder: Path, url: str) -> Iterator[None]:
    """Hold the data folder against a second start, and record where its site is reached.

    The lock goes with the process, however that ends; what the file says stays for ``signin``.
    """
    with unused(folder) as file:
        file.truncate(0)
        file.write(json.dumps({"pid": os.getpid(), "url": url}))
        file.flush()
        yield


@contextlib.contextmanager
def unused(folder: Path) -> Iterator[TextIO]:
    """Hold the lock of a data folder on which no site runs; the file that bears it. Raises StartRefused."""
    with open(folder / RECORD, "a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = recorded(folder)
            raise StartRefused(
                f"A site already runs on {folder} (process {holder.get('pid', 'unknown')}, "
                f"{holder.get('url', 'address unknown')}): use that one, stop it, or name another folder "
                "with --data."
            ) from None
        yield file


def recorded(folder: Path) -> dict[str, object]:
    """What the last start on this folder recorded: ``pid`` and ``url``; empty before the first."""
    try:
        found = json.loads((folder / RECORD).read_text())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
