"""PostgreSQL's side of backups: its own pg_dump and pg_restore, and hashes from the same snapshot."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.utils import CursorWrapper

from evalsite import databases
from evalsite.backups.manifest import NO_SITE, Snapshot, Table
from evalsite.errors import BackupRefused

ENGINE, MEMBER = "postgresql", "database.pgdump"
#: How values are written, so that the same rows have the same hash on another server.
NOTATION = {
    "timezone": "UTC",
    "datestyle": "ISO, YMD",
    "intervalstyle": "postgres",
    "bytea_output": "hex",
    "extra_float_digits": "1",
}


def dump(connection: BaseDatabaseWrapper, to: Path) -> Snapshot:
    """Dump the database as it is at one moment, and hash the same rows. Raises BackupRefused."""
    with _reading(connection) as cursor:
        tool = _tool("pg_dump", _server_version(cursor))
        cursor.execute("SELECT pg_export_snapshot()")
        snapshot = cursor.fetchone()[0]
        options = (
            "--format=custom",
            "--no-owner",
            "--no-privileges",
            f"--snapshot={snapshot}",
            f"--file={to}",
        )
        _run(tool, connection, *options)
        return _snapshot(cursor)


def check_empty(connection: BaseDatabaseWrapper) -> None:
    """Raises BackupRefused where the database has a table, or the tools do not suit its server."""
    with _reading(connection) as cursor:
        _tool("pg_restore", _server_version(cursor))
        if tables := _table_names(cursor):
            raise BackupRefused(
                f"The database {connection.settings_dict['NAME']} holds {len(tables)} tables: create an empty one and "
                "name it in DATABASE_URL."
            )


def restore(connection: BaseDatabaseWrapper, dumped: Path, expected: Snapshot) -> None:
    """All of it in one transaction, or nothing; then compared with what is expected."""
    with _reading(connection) as cursor:
        tool = _tool("pg_restore", _server_version(cursor))
    _run(tool, connection, "--no-owner", "--no-privileges", "--single-transaction", str(dumped))
    with _reading(connection) as cursor:
        found = _snapshot(cursor).tables
    if found != expected.tables:
        names = sorted(name for name in expected.tables if found.get(name) != expected.tables[name])
        raise BackupRefused(
            f"The restored rows of {', '.join(names[:5])} are not those that were backed up: drop the database and "
            "take another backup."
        )


# --- Reading -----------------------------------------------------------------------------------------------


@contextmanager
def _reading(connection: BaseDatabaseWrapper) -> Iterator[CursorWrapper]:
    """One moment of the database, on a connection of its own, in a fixed notation."""
    own = databases.alone(connection.settings_dict)
    try:
        own.set_autocommit(True)
        with own.cursor() as cursor:
            cursor.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
            for name, value in NOTATION.items():
                cursor.execute("SELECT set_config(%s, %s, true)", [name, value])
            yield cursor
    finally:
        own.close()


def _server_version(cursor: CursorWrapper) -> str:
    cursor.execute("SHOW server_version")
    return str(cursor.fetchone()[0])


def _snapshot(cursor: CursorWrapper) -> Snapshot:
    names = _table_names(cursor)
    if "django_migrations" not in names:
        raise BackupRefused(NO_SITE)
    tables = {name: _table(cursor, name) for name in names}
    cursor.execute("SELECT app || '.' || name FROM django_migrations ORDER BY id")
    migrations = tuple(name for (name,) in cursor.fetchall())
    return Snapshot(ENGINE, _server_version(cursor), migrations, tables)


def _table_names(cursor: CursorWrapper) -> list[str]:
    return sorted(cursor.db.introspection.table_names(cursor))


def _table(cursor: CursorWrapper, name: str) -> Table:
    """COPY's text form ends each row with the only line feed in it."""
    quote = cursor.db.ops.quote_name
    keys = cursor.db.introspection.get_primary_key_columns(cursor, name) or []
    order = ", ".join(f'{quote(key)}::text COLLATE "C"' for key in keys) or f'{quote(name)}::text COLLATE "C"'
    query = f"COPY (SELECT * FROM {quote(name)} ORDER BY {order}) TO STDOUT"  # noqa: S608 - the database's own names
    columns = cursor.db.introspection.get_table_description(cursor, name)
    digest, rows = hashlib.sha256(repr([column.name for column in columns]).encode()), 0
    with cursor.cursor.copy(query) as copied:
        for block in copied:
            digest.update(block)
            rows += bytes(block).count(b"\n")
    return Table(rows=rows, sha256=digest.hexdigest())


# --- The tools ---------------------------------------------------------------------------------------------


def _tool(name: str, server_version: str) -> str:
    """The path of a tool of PostgreSQL's that is not older than the server."""
    path, server = shutil.which(name), re.match(r"\d+", server_version)
    assert server, server_version
    needed = int(server[0])
    if path is None:
        raise BackupRefused(
            f"{name} is not installed: install PostgreSQL's client tools, version {needed} or later (Debian: "
            f"apt install postgresql-client-{needed})."
        )
    said = subprocess.run([path, "--version"], capture_output=True, text=True, check=False).stdout
    found = re.search(r"\d+", said)
    if found is None or int(found[0]) < needed:
        raise BackupRefused(
            f"{name} says {said.strip() or 'nothing'!r} and the server is PostgreSQL {server_version}: install the "
            f"client tools of version {needed} or later."
        )
    return path


def _run(tool: str, connection: BaseDatabaseWrapper, *options: str) -> None:
    """Run a tool on the database; the password goes by the environment, which other users cannot read."""
    (_, *where, database), own = _client_arguments(connection)
    command = [tool, *where, f"--dbname={database}", "--no-password", *options]
    done = subprocess.run(command, env=os.environ | own, capture_output=True, text=True, check=False)
    if done.returncode:
        said = done.stderr.strip().splitlines()
        raise BackupRefused(
            f"{Path(tool).name} failed: {said[0] if said else f'exit code {done.returncode}'}"
        )


def _client_arguments(connection: BaseDatabaseWrapper) -> tuple[Sequence[str], dict[str, str]]:
    """As ``manage.py dbshell`` calls psql: the program, where to connect, the database; and its environment."""
    arguments, own = connection.client.settings_to_cmd_args_env(connection.settings_dict, [])
    return arguments, dict(own or {})
