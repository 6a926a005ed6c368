"""The site's database, read past all code of ours."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg

#: A database that was just struck answers within these or not at all.
CONNECT_LIMIT_S, STATEMENT_LIMIT_MS = 3, 10_000


class Away(Exception):
    """The database does not answer just now."""


class Database:
    """Queries with ``?`` for values, each on a connection of its own. Ids come as hex digits from either engine."""

    def __init__(self, url: str) -> None:
        self._url = url

    @classmethod
    def of_site(cls, variables: dict[str, str], data: Path) -> Database:
        return cls(variables.get("DATABASE_URL", f"file:{data / 'colloquy.sqlite3'}?mode=ro"))

    def rows(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        """Raises Away."""
        try:
            found = (
                self._sqlite(query, values)
                if self._url.startswith("file:")
                else self._postgresql(query, values)
            )
        except (sqlite3.OperationalError, psycopg.Error) as error:
            raise Away(str(error)) from error
        return [tuple(_plain(value) for value in row) for row in found]

    def ago(self, duration: timedelta) -> Any:
        """A time in the past as a query's value."""
        at = datetime.now(UTC) - duration
        return at.replace(tzinfo=None).isoformat(" ") if self._url.startswith("file:") else at

    def _sqlite(self, query: str, values: tuple[Any, ...]) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(self._url, uri=True, timeout=20)) as connection:
            return connection.execute(query, values).fetchall()

    def _postgresql(self, query: str, values: tuple[Any, ...]) -> list[tuple[Any, ...]]:
        options = f"-c statement_timeout={STATEMENT_LIMIT_MS}"
        with psycopg.connect(self._url, connect_timeout=CONNECT_LIMIT_S, options=options) as connection:
            return connection.execute(query.replace("?", "%s"), values).fetchall()


def _plain(value: Any) -> Any:
    return value.hex if hasattr(value, "fields") and hasattr(value, "hex") else value
