"""A second question to the database while the first is answered."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

from django.db import connection

T = TypeVar("T")


@contextmanager
def beside(ask: Callable[[], T]) -> Iterator[Callable[[], T]]:
    """Ask on a thread with a connection of its own while the body runs; the given call waits for the answer.

    PostgreSQL alone gains by that: SQLite's rows are made by Python, which does one thing at a time. Within a
    transaction it is asked at once, as another connection would not see what was written.
    """
    if connection.vendor != "postgresql" or connection.in_atomic_block:
        answer = ask()
        yield lambda: answer
        return
    with ThreadPoolExecutor(1, "beside") as thread:
        yield thread.submit(_asked, ask).result


def _asked(ask: Callable[[], T]) -> T:
    try:
        return ask()
    finally:
        connection.close()
