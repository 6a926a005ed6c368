"""SQLite's side of backups: copied by its online backup, in one step, while others read and write."""

from __future__ import annotations

import hashlib
import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

from django.db.backends.base.base import BaseDatabaseWrapper

from evalsite.backups.manifest import NO_SITE, Snapshot, Table
from evalsite.errors import BackupRefused

ENGINE, MEMBER = "sqlite", "database.sqlite3"


def dump(connection: BaseDatabaseWrapper, to: Path) -> Snapshot:
    """Copy the database as it is at one moment; writers are not held up."""
    connection.ensure_connection()
    with closing(sqlite3.connect(to)) as copy:
        connection.connection.backup(copy)
        copy.execute("PRAGMA journal_mode=DELETE")  # one file, without a log beside it
        return _snapshot(copy)


def check_empty(connection: BaseDatabaseWrapper) -> None:
    """Raises BackupRefused where the site's database file has a table."""
    path = _file(connection)
    if not path.exists():
        return
    with closing(sqlite3.connect(path)) as present:
        if tables := _table_names(present):
            raise BackupRefused(
                f"{path} holds {len(tables)} tables: restore into an empty data folder, named by --data, or move "
                "that file away."
            )


def restore(connection: BaseDatabaseWrapper, dumped: Path, expected: Snapshot) -> None:
    """Put the copy in the place of the site's file, once it is whole and holds what is expected."""
    path = _file(connection)
    draft = path.with_name(f".{path.name}.restoring")
    try:
        shutil.copyfile(dumped, draft)
        draft.chmod(0o600)
        with closing(sqlite3.connect(draft)) as copy:
            fault = copy.execute("PRAGMA integrity_check").fetchone()[0]
            found = _snapshot(copy)
        if fault != "ok" or found.tables != expected.tables:
            raise BackupRefused(f"The copy is not what was backed up ({fault}); nothing was restored.")
        connection.close()
        for ending in ("-wal", "-shm"):
            path.with_name(path.name + ending).unlink(missing_ok=True)
        os.replace(draft, path)
    finally:
        draft.unlink(missing_ok=True)


def _file(connection: BaseDatabaseWrapper) -> Path:
    return Path(connection.settings_dict["NAME"])


def _snapshot(copy: sqlite3.Connection) -> Snapshot:
    names = _table_names(copy)
    if "django_migrations" not in names:
        raise BackupRefused(NO_SITE)
    applied = copy.execute("SELECT app || '.' || name FROM django_migrations ORDER BY id")
    migrations = tuple(name for (name,) in applied)
    copy.text_factory = bytes  # whatever is stored as text has a hash
    return Snapshot(ENGINE, sqlite3.sqlite_version, migrations, {name: _table(copy, name) for name in names})


def _table_names(copy: sqlite3.Connection) -> list[str]:
    found = copy.execute(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name"
    )
    return [name for (name,) in found]


def _table(copy: sqlite3.Connection, name: str) -> Table:
    """Python's notation of each row tells numbers from texts, and texts from each other."""
    digest, rows = hashlib.sha256(), 0
    cursor = copy.execute(f'SELECT * FROM "{name}" ORDER BY rowid')  # noqa: S608 - the database's own names
    digest.update(repr([column[0] for column in cursor.description]).encode())
    for row in cursor:
        digest.update(repr(row).encode() + b"\n")
        rows += 1
    return Table(rows=rows, sha256=digest.hexdigest())
