"""Where a site keeps its data: database, queue, secret key, logs. Read before Django's settings."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import secrets
import tempfile
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

PROJECT = Path(__file__).resolve().parent.parent
DEFAULT = PROJECT / "data"
VARIABLE = "COLLOQUY_DATA"
#: These commands use ``--data`` for a folder of data sets; they find the site's by the variable.
DATASET_COMMANDS = frozenset({"bank", "benchmark", "train", "fetch_data", "check_data", "draw_contexts"})
#: A unix socket's path must fit the kernel's 108 bytes.
LONGEST_SOCKET_PATH = 100
MOST_TRACE_DAYS = 90


def claim_data_folder(argv: list[str]) -> None:
    """Put the value of ``--data`` into the environment, where settings and child processes find it."""
    if len(argv) > 1 and argv[1] in DATASET_COMMANDS:
        return
    for index, argument in enumerate(argv):
        if argument == "--data" and index + 1 < len(argv):
            os.environ[VARIABLE] = str(Path(argv[index + 1]).expanduser().resolve())
        elif argument.startswith("--data="):
            os.environ[VARIABLE] = str(Path(argument.partition("=")[2]).expanduser().resolve())


def data_folder() -> Path:
    """The site's data folder; made, private to its owner, when it is missing."""
    folder = Path(os.environ.get(VARIABLE) or DEFAULT)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


def queue_socket() -> Path:
    """Where the embedded queue listens; outside the data folder when that path is too long for a socket."""
    inside = data_folder() / "queue.sock"
    if len(str(inside)) <= LONGEST_SOCKET_PATH:
        return inside
    name = hashlib.sha256(str(data_folder()).encode()).hexdigest()[:16]
    folder = Path(tempfile.gettempdir()) / f"colloquy-{os.getuid()}-{name}"
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder / "queue.sock"


def address_of(variable: str, text: str) -> tuple[str, int] | None:
    """``host:port``, or ``[host]:port`` for IPv6, in its parts; None for an empty text. Raises ImproperlyConfigured."""
    if not text:
        return None
    host, _, port = text.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not host or not port.isdecimal() or not 0 < int(port) < 65536:
        raise ImproperlyConfigured(
            f"{variable} is {text!r}, which is no address: write host:port, for example 127.0.0.1:9100, or "
            "leave it unset."
        )
    return host, int(port)


def trace_days(variable: str, days: int) -> int:
    """The days, where there are any and no more than a device's mark lives. Raises ImproperlyConfigured."""
    if not 1 <= days <= MOST_TRACE_DAYS:
        raise ImproperlyConfigured(
            f"{variable} is {days}; choose a number of days from 1 to {MOST_TRACE_DAYS}."
        )
    return days


def currency(variable: str, code: str) -> str:
    """The code, where it looks like one of ISO 4217. Raises ImproperlyConfigured."""
    if not re.fullmatch("[A-Z]{3}", code):
        raise ImproperlyConfigured(f"{variable} is {code!r}; write three capital letters, such as GBP.")
    return code


def secret_key() -> str:
    """The site's signing key: ``SECRET_KEY`` or a file made once, readable by its owner alone."""
    if given := os.environ.get("SECRET_KEY"):
        return given
    path = data_folder() / "secret_key"
    if not path.exists():
        _write_key(path)
    return path.read_text()


def _write_key(path: Path) -> None:
    """Written aside and linked into place: a crash leaves no half key, and of two at once the first stays."""
    descriptor, draft = tempfile.mkstemp(dir=path.parent, prefix=".secret_key-")  # 0600
    try:
        with open(descriptor, "w") as file:
            file.write(secrets.token_urlsafe(64))
        with contextlib.suppress(FileExistsError):
            os.link(draft, path)
    finally:
        os.unlink(draft)
