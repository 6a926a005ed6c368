"""PostgreSQL, Redis and RabbitMQ for a module of tests, with a database of its own."""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

VARIABLES = ("DATABASE_URL", "REDIS_URL", "BROKER_URL")


def lacking(sentence: str) -> None:
    """Skip, saying so; fail where .ci/run has promised that everything is there."""
    if os.environ.get("COLLOQUY_REQUIRE_SERVICES"):
        pytest.fail(sentence)
    pytest.skip(sentence)


def required_program(name: str, package: str) -> str:
    """The path of a program that a test needs."""
    found = shutil.which(name)
    if found is None:
        lacking(f"no {name} found: apt install {package}; .ci/run brings it")
    assert found is not None  # lacking() does not come back
    return found


@contextmanager
def own_services(redis_number: int) -> Iterator[dict[str, str]]:
    """The three variables; the database is dropped at the end, and Redis's is the one of this number."""
    if missing := [name for name in VARIABLES if name not in os.environ]:
        lacking(f"needs {', '.join(missing)}; .ci/run sets them")
    import psycopg

    base, _, _ = os.environ["DATABASE_URL"].rpartition("/")
    redis_base, _, _ = os.environ["REDIS_URL"].rpartition("/")
    name = f"colloquy_site_{uuid.uuid4().hex[:10]}"
    with psycopg.connect(f"{base}/postgres", autocommit=True) as server:
        server.execute(f"CREATE DATABASE {name}")
        try:
            yield {
                "DATABASE_URL": f"{base}/{name}",
                "REDIS_URL": f"{redis_base}/{redis_number}",
                "BROKER_URL": os.environ["BROKER_URL"],
            }
        finally:
            server.execute(f"DROP DATABASE {name} WITH (FORCE)")
