"""Whose address a real web process believes, and that neither its files nor its log holds one."""

from __future__ import annotations

import contextlib
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from ratings.simulation.browserless import Visitor
from tests.conftest import wait_for
from tests.site_process import PROJECT, free_port, fresh_environment

#: Of a network for documentation.
FORWARDED = "198.51.100.203"
PREPARE = (("migrate", "--verbosity", "0"), ("collectstatic", "--noinput"))
MAKE = "from tests.site.studies import _study; _study('plain', ['Hello.'])"


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data folder of a site with one study."""
    data = tmp_path_factory.mktemp("addresses") / "data"
    for command in (*PREPARE, ("shell", "--no-imports", "--command", MAKE)):
        run = [sys.executable, "manage.py", *command]
        subprocess.run(run, cwd=PROJECT, env=environment(data), check=True, capture_output=True)
    return data


def environment(data: Path, **variables: str) -> dict[str, str]:
    return fresh_environment() | {"COLLOQUY_DATA": str(data)} | variables


@contextlib.contextmanager
def web_process(data: Path, proxies: str) -> Iterator[str]:
    """``manage.py web`` for whom these are proxies; its address. Its log is ``web.log``."""
    port = free_port()
    url = f"http://localhost:{port}"
    variables = {"FORWARDED_ALLOW_IPS": proxies, "SITE_URL": url, "LOG_LEVEL": "DEBUG"}
    command = [sys.executable, "manage.py", "web", "--port", str(port)]
    with (data / "web.log").open("wb") as log:
        env = environment(data, **variables)
        process = subprocess.Popen(command, cwd=PROJECT, env=env, stderr=log, stdout=log)
        try:
            wait_for(lambda: answers(url), "manage.py web")
            yield url
        finally:
            process.terminate()
            process.wait(20)


def answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/healthz").status_code == 200
    except httpx.TransportError:
        return False


def kinds_of_traces(data: Path) -> list[str]:
    """Those of whoever came last."""
    with contextlib.closing(sqlite3.connect(data / "colloquy.sqlite3")) as database:
        rows = database.execute(
            "SELECT kind FROM chat_accounttrace WHERE participation_id = "
            "(SELECT id FROM chat_participation ORDER BY created_at DESC LIMIT 1) ORDER BY kind"
        )
        return [kind for (kind,) in rows]


@pytest.mark.parametrize(
    ("proxies", "kinds"), [("127.0.0.1", ["device", "network"]), ("192.0.2.7", ["device"]), ("", ["device"])]
)
async def test_an_address_that_is_forwarded_counts_from_named_proxies_alone_and_is_written_nowhere(
    prepared: Path, proxies: str, kinds: list[str]
) -> None:
    shown: list[str] = []
    with web_process(prepared, proxies) as url:
        async with Visitor(url, "plain", watch=lambda source, text: shown.append(text)) as visitor:
            visitor.http.headers["X-Forwarded-For"] = FORWARDED
            await visitor.enter()
            await visitor.consent()
    assert kinds_of_traces(prepared) == kinds
    files = {path: path.read_bytes() for path in prepared.rglob("*") if path.is_file()}
    assert b"study entered" in files[prepared / "web.log"]
    assert [path for path, content in files.items() if b"198.51.100" in content] == []
    assert len(shown) > 4 and "198.51.100" not in "".join(shown)
