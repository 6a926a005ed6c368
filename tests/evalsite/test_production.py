"""The production settings, in processes of their own as operators use them."""

from __future__ import annotations

import contextlib
import http.client
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import wait_for
from tests.site_process import PROJECT, free_port, fresh_environment

ENVIRONMENT = {
    "DJANGO_SETTINGS_MODULE": "evalsite.production",
    "SECRET_KEY": "k1l2m3n4" * 9,
    "SITE_URL": "https://talk.example.org",
    "DATABASE_URL": "postgres://me:hidden-word@db/colloquy",
    "REDIS_URL": "redis://cache:6379/0",
    "FORWARDED_ALLOW_IPS": "127.0.0.1",
}
#: What the site answers to several requests, one process for all: a path, whether by https, and the host it asks for.
ASKED = {
    "plain": ("/signin/", False, "talk.example.org"),
    "https": ("/signin/", True, "talk.example.org"),
    "watcher": ("/healthz", False, "talk.example.org"),
    "stranger": ("/healthz", True, "localhost"),
}
ASK = f"""
import django
from django.conf import settings
django.setup()
from django.test import Client
for name, (path, secure, host) in {ASKED!r}.items():
    answer = Client().get(path, secure=secure, headers={{"host": host}})
    hsts = answer.headers.get("Strict-Transport-Security")
    print("answer", name, answer.status_code, answer.headers.get("Location"), hsts)
"""


def manage(tmp_path: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a command; a variable that is empty counts as not set."""
    own = ENVIRONMENT | {"COLLOQUY_DATA": str(tmp_path / "data")} | variables
    environment = fresh_environment() | own
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=PROJECT,
        env={name: value for name, value in environment.items() if value},
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.fixture(scope="module")
def collected(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder whose site has its static files."""
    folder = tmp_path_factory.mktemp("production")
    assert manage(folder, "collectstatic", "--noinput").returncode == 0
    return folder


@pytest.fixture(scope="module")
def answers(collected: Path) -> dict[str, str]:
    """Status, Location and Strict-Transport-Security of what is answered to each of ``ASKED``."""
    done = manage(collected, "shell", "--no-imports", "-c", ASK)
    assert done.returncode == 0, done.stderr
    lines = [line for line in done.stdout.splitlines() if line.startswith("answer ")]
    return dict(line.removeprefix("answer ").split(" ", 1) for line in lines)


def test_django_and_we_find_nothing_to_warn_of(tmp_path: Path) -> None:
    done = manage(tmp_path, "check", "--deploy", "--fail-level", "WARNING")
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("SECRET_KEY", "", "SECRET_KEY is not set:"),
        ("SECRET_KEY", "short", "SECRET_KEY has 5 characters and needs at least 50:"),
        ("SITE_URL", "", "SITE_URL is not set:"),
        ("SITE_URL", "http://talk.example.org", "SITE_URL is 'http://talk.example.org':"),
        ("SITE_URL", "https://[", "SITE_URL is 'https://[':"),
        ("DATABASE_URL", "", "DATABASE_URL is not set:"),
        ("DATABASE_URL", "sqlite:////data/colloquy.sqlite3", "DATABASE_URL names 'sqlite':"),
        ("REDIS_URL", "", "REDIS_URL is not set:"),
        ("REDIS_URL", "cache:6379", "REDIS_URL is no address:"),
        ("DEBUG", "true", "DEBUG is 'true':"),
    ],
)
def test_what_is_missing_is_one_sentence_that_says_what_to_do(
    tmp_path: Path, name: str, value: str, sentence: str
) -> None:
    done = manage(tmp_path, "check", **{name: value})
    assert done.returncode == 2
    first, *sentences = done.stderr.strip().splitlines()
    assert first == "The production settings refuse to start."
    assert len(sentences) == 1 and sentences[0].startswith(sentence)
    assert "hidden-word" not in done.stderr


def test_all_that_is_missing_is_told_at_once(tmp_path: Path) -> None:
    done = manage(tmp_path, "migrate", SECRET_KEY="", SITE_URL="", DATABASE_URL="", REDIS_URL="")
    assert done.returncode == 2
    assert len(done.stderr.strip().splitlines()) == 5


def test_pages_are_served_by_https_alone(answers: dict[str, str]) -> None:
    status, location, _ = answers["plain"].split(" ", 2)
    assert (status, location) == ("301", "https://talk.example.org/signin/")


def test_browsers_are_told_to_stay_with_https(answers: dict[str, str]) -> None:
    assert answers["https"] == "200 None max-age=31536000; includeSubDomains"


def test_watchers_on_the_inside_ask_without_tls(answers: dict[str, str]) -> None:
    assert answers["watcher"].startswith("200 None")


def test_another_host_name_is_refused(answers: dict[str, str]) -> None:
    assert answers["stranger"].startswith("400")


def test_only_named_peers_say_that_a_request_came_by_https(tmp_path: Path) -> None:
    """The header itself convinces nobody: uvicorn sets the scheme, for the peers that FORWARDED_ALLOW_IPS names."""
    program = (
        "import django; django.setup(); from django.test import Client; print(Client().get('/signin/', headers="
        "{'host': 'talk.example.org', 'x-forwarded-proto': 'https'}).status_code)"
    )
    done = manage(tmp_path, "shell", "--no-imports", "-c", program)
    assert done.stdout.strip().endswith("301"), done.stdout + done.stderr


@contextlib.contextmanager
def web_process(folder: Path, **variables: str) -> Iterator[int]:
    """``manage.py web`` on a free port, until it answers; the port."""
    port = free_port()
    environment = fresh_environment() | ENVIRONMENT | {"COLLOQUY_DATA": str(folder / "data")} | variables
    command = [sys.executable, "manage.py", "web", "--port", str(port)]
    process = subprocess.Popen(command, cwd=PROJECT, env=environment)
    try:
        wait_for(lambda: status(port, "/healthz") == 200, "manage.py web")
        yield port
    finally:
        process.terminate()
        process.wait(20)


def status(port: int, path: str, **headers: str) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", path, headers={"Host": "talk.example.org", **headers})
        return connection.getresponse().status
    except OSError:
        return 0
    finally:
        connection.close()


@pytest.mark.parametrize(("proxies", "expected"), [("127.0.0.1", 200), ("192.0.2.7", 301)])
def test_a_forwarded_scheme_counts_from_named_peers_alone(
    collected: Path, proxies: str, expected: int
) -> None:
    with web_process(collected, FORWARDED_ALLOW_IPS=proxies) as port:
        assert status(port, "/signin/", **{"X-Forwarded-Proto": "https"}) == expected


def test_a_taken_port_is_one_sentence(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        done = manage(tmp_path, "web", PORT=str(port))
    assert done.returncode == 2
    assert f"Port {port} is taken by another program" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


@pytest.mark.parametrize(("given", "expected"), [("", "json"), ("line", "line")])
def test_logs_are_for_programs_unless_asked_otherwise(tmp_path: Path, given: str, expected: str) -> None:
    program = "from django.conf import settings; print(settings.LOG_FORMAT)"
    done = manage(tmp_path, "shell", "--no-imports", "-c", program, LOG_FORMAT=given)
    assert done.stdout.strip() == expected
