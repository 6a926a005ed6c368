"""The whole site, started and stopped as people do it."""

from __future__ import annotations

import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.site_process import PROJECT, SiteProcess, free_port, fresh_environment, processes

pytestmark = pytest.mark.skipif(
    not Path("/proc/self/stat").exists(), reason="processes are looked up in /proc"
)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SiteProcess]:
    """A running site; tests of this module leave it running and well."""
    with SiteProcess(tmp_path_factory.mktemp("up") / "data") as site:
        yield site.wait_until_up()


def refused(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(PROJECT / "manage.py"), "up", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, env=fresh_environment())


def test_it_prints_the_three_addresses_last(site: SiteProcess) -> None:
    ending = site.said().strip().splitlines()[-5:]
    assert ending[0].split() == ["Evaluators", f"{site.url}/e/table7/"]
    assert ending[1].split() == ["Researchers", f"{site.url}/studies/"]
    assert re.fullmatch(rf"  Sign in once  {site.url}/signin/[\w-]{{40,}}/", ending[2])


def test_every_step_is_told_with_its_time(site: SiteProcess) -> None:
    for title in ("Preparing the database", "Starting the queue", "Warming the models"):
        assert re.search(rf"^  {title} +(\n    .*)*\d+\.\d s$", site.said(), re.MULTILINE), site.said()


def test_it_serves_pages_and_says_that_it_is_ready(site: SiteProcess) -> None:
    assert site.get("/healthz") == (200, "ok\n")
    assert site.get("/readyz")[0] == 200


def test_only_plotly_itself_is_taken_from_its_package(site: SiteProcess) -> None:
    names = {path.name for path in (site.data / "static" / "plotly").rglob("*") if path.is_file()}
    assert "plotly.min.js" in names
    assert {name.partition(".")[0] for name in names} == {"plotly"}


def test_a_killed_child_is_started_again(site: SiteProcess) -> None:
    before = site.child("manage.py sweep")
    os.kill(before, signal.SIGKILL)
    site.wait_until_said("sweeper stopped (killed by SIGKILL)", 10)
    site.wait_until_said("sweeper is back", 20)
    assert site.child("manage.py sweep") != before


def test_a_killed_queue_comes_back_and_is_used_again(site: SiteProcess) -> None:
    os.kill(site.child("valkey"), signal.SIGKILL)
    site.wait_until_said("queue is back", 20)
    assert site.get("/readyz")[0] == 200
    assert site.one_turn()


def test_a_second_start_on_the_same_folder_is_refused(site: SiteProcess) -> None:
    second = refused("--data", str(site.data), "--port", str(free_port()))
    assert second.returncode == 2
    assert second.stderr.startswith(
        f"A site already runs on {site.data} (process {site.process.pid}, {site.url})"
    )
    assert len(second.stderr.strip().splitlines()) == 1


def test_signin_prints_a_new_link_to_where_the_site_runs(site: SiteProcess) -> None:
    command = [sys.executable, str(PROJECT / "manage.py"), "signin", "--data", str(site.data)]
    printed = subprocess.run(command, capture_output=True, text=True, timeout=60, env=fresh_environment())
    assert printed.stdout.startswith(f"{site.url}/signin/"), printed.stderr


def test_a_taken_port_is_one_sentence(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        answer = refused("--data", str(tmp_path / "data"), "--port", str(port))
    assert answer.returncode == 2
    assert answer.stderr == (
        f"Port {port} is taken by another program: stop that one, or choose another port "
        f"with --port {port + 1}.\n"
    )


def test_a_data_folder_that_cannot_be_made_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    answer = refused("--data", str(tmp_path / "file" / "data"))
    assert answer.returncode == 2
    assert answer.stderr.startswith("The data folder cannot be used (Not a directory")
    assert len(answer.stderr.strip().splitlines()) == 1


def test_nothing_outlives_a_killed_site_and_the_next_start_goes_on_until_ctrl_c(tmp_path: Path) -> None:
    data, port = tmp_path / "data", free_port()
    with SiteProcess(data, port) as first:
        first.wait_until_up()
        started = set(first.children())
        assert len(started) == 4, first.children()
        first.process.kill()
        first.process.wait()
        wait_until_gone(started)
    key = (data / "secret_key").read_text()
    assert links_and_studies(data) == (1, 1)
    with SiteProcess(data, port) as second:
        second.wait_until_up()
        assert links_and_studies(data) == (2, 1)
        assert (data / "secret_key").read_text() == key
        started = set(second.children())
        assert second.stop(signal.SIGINT) == 0
        assert not started & set(processes())
    assert second.said().endswith("Stopped; the data is kept.\n")


def wait_until_gone(pids: set[int]) -> None:
    end = time.monotonic() + 10
    while left := pids & set(processes()):
        assert time.monotonic() < end, [processes().get(pid) for pid in left]
        time.sleep(0.05)


def links_and_studies(data: Path) -> tuple[int, int]:
    counts = "SELECT (SELECT count(*) FROM evalsite_signinlink), (SELECT count(*) FROM chat_study)"
    with sqlite3.connect(data / "colloquy.sqlite3") as database:
        return database.execute(counts).fetchone()
