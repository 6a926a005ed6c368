"""A site on PostgreSQL, Redis and RabbitMQ by three variables, and a talk that goes through all of them."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.own_services import own_services
from tests.site_process import PROJECT, SiteProcess, fresh_environment

pytestmark = pytest.mark.services


@pytest.fixture(scope="module")
def services() -> Iterator[dict[str, str]]:
    """The three variables, with a database of this module's own."""
    with own_services(redis_number=8) as variables:
        yield variables


@pytest.fixture(scope="module")
def site(services: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[SiteProcess]:
    with SiteProcess(tmp_path_factory.mktemp("services") / "data", **services) as site:
        yield site.wait_until_up()


def test_nothing_embedded_runs_or_is_written(site: SiteProcess) -> None:
    assert not any("valkey" in command for command in site.children().values())
    assert not (site.data / "colloquy.sqlite3").exists()
    assert site.get("/readyz")[0] == 200


def test_a_turn_goes_over_rabbitmq_and_is_stored_in_postgresql(
    site: SiteProcess, services: dict[str, str]
) -> None:
    assert site.one_turn(**services)


def test_a_database_out_of_reach_is_one_sentence(tmp_path: Path) -> None:
    variables = {
        "DATABASE_URL": "postgres://nobody@127.0.0.1:1/none",
        "COLLOQUY_DATA": str(tmp_path / "data"),
    }
    command = [sys.executable, str(PROJECT / "manage.py"), "up", "--port", "8799"]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=120, env=fresh_environment() | variables
    )
    assert done.returncode == 2
    assert done.stderr.startswith("The database cannot be used (")
    assert len(done.stderr.strip().splitlines()) == 1
