"""Connections to PostgreSQL that tell their pool when the server was restarted."""

from __future__ import annotations

import threading
import time
from typing import Any, ClassVar

import psycopg
from django.db import connections


class PooledConnection(psycopg.Connection[Any]):
    """Of the connections that lie in a pool, the first that is found dead takes all others of its age with it.

    The pool looks at one connection before it gives it out, and pauses for longer and longer between two that are
    dead: after a restart of the server, more than three of them cost whoever asks its whole waiting time.
    """

    _drained_at: ClassVar[float] = 0.0
    _draining: ClassVar[threading.Lock] = threading.Lock()

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._opened_at = time.monotonic()

    def execute(self, *args: Any, **options: Any) -> psycopg.Cursor[Any]:
        """Django asks through cursors of its own; this is what the pool looks with."""
        try:
            return super().execute(*args, **options)
        except psycopg.OperationalError:
            self._drain_pool()
            raise

    def _drain_pool(self) -> None:
        """Once a restart: connections that were opened since the last one are not suspected."""
        with self._draining:
            is_news = self._opened_at > PooledConnection._drained_at
            if is_news:
                PooledConnection._drained_at = time.monotonic()
        if is_news and (pool := getattr(connections["default"], "pool", None)):
            pool.drain()
