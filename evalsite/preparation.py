"""What a start does before any process runs: the database's shape, static files, the starter study."""

from __future__ import annotations

import hashlib
from pathlib import Path

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connections

from chat.errors import ChatError
from evalsite import databases, health, redaction
from evalsite.console import Console
from evalsite.errors import StartRefused
from modelhub.errors import ModelhubError

STAMP = "collected.sha256"


def prepare(console: Console) -> None:
    """Every step, told with its time. Raises StartRefused when the database or the queue is out of reach."""
    if not settings.EMBEDDED_QUEUE and not health.PROBES["channel layer"].answers():
        raise StartRefused(
            f"Nothing answers at REDIS_URL ({redaction.without_secrets(settings.REDIS_URL)}): start it, or unset "
            "REDIS_URL to use the embedded queue."
        )
    with console.step("Preparing the database"):
        migrate()
    with console.step("Collecting static files"):
        collect_static()
    with console.step("Loading the starter study"):
        load_starter(console)
    connections.close_all()


def load_starter(console: Console) -> None:
    try:
        call_command("load_starter", stdout=console)
    except (ChatError, ModelhubError, CommandError) as error:
        raise StartRefused(f"The starter study cannot be loaded: {error}") from error


def migrate() -> None:
    try:
        connect_once()
    except DatabaseError as error:
        raise StartRefused(
            f"The database cannot be used ({' '.join(str(error).split())[:300]}): check DATABASE_URL, or the "
            f"rights and free space of {settings.DATA_DIR}."
        ) from None
    call_command("migrate", interactive=False, verbosity=0)


def connect_once() -> None:
    connection = databases.alone(connections["default"].settings_dict)
    connection.ensure_connection()
    connection.close()


def collect_static() -> None:
    """Copy static files under hashed names, unless the last start did so from the same files."""
    stamp = Path(settings.STATIC_ROOT) / STAMP
    wanted = static_fingerprint()
    if stamp.exists() and stamp.read_text() == wanted:
        return
    call_command("collectstatic", interactive=False, verbosity=0)
    stamp.write_text(wanted)


def static_fingerprint() -> str:
    """A hash over every static file's name, size and time."""
    digest = hashlib.sha256()
    for finder in get_finders():
        for name, storage in finder.list([]):
            status = Path(storage.path(name)).stat()
            digest.update(f"{name}\0{status.st_size}\0{status.st_mtime_ns}\n".encode())
    return digest.hexdigest()
