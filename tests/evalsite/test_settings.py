"""Settings as operators use them: by variables alone, in a process of their own."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.site_process import PROJECT, fresh_environment

SHOW = (
    "import json; from django.conf import settings as s; print(json.dumps({name: getattr(s, name) for name in "
    "('ALLOWED_HOSTS', 'SITE_URL', 'SESSION_COOKIE_NAME', 'SESSION_COOKIE_SECURE', 'WORKER_COOKIE_NAME', "
    "'EMBEDDED_QUEUE', 'REDIS_URL', 'CELERY_BROKER_URL', 'CSRF_TRUSTED_ORIGINS', 'DEBUG')} | "
    "{'ENGINE': s.DATABASES['default']['ENGINE'], 'DATA_DIR': str(s.DATA_DIR)}))"
)


def read(tmp_path: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    own = {"COLLOQUY_DATA": str(tmp_path / "data"), "DJANGO_SETTINGS_MODULE": "evalsite.settings"}
    return subprocess.run(
        [sys.executable, "-c", SHOW],
        cwd=PROJECT,
        env=fresh_environment() | own | variables,
        capture_output=True,
        text=True,
        timeout=60,
    )


def values(tmp_path: Path, **variables: str) -> dict:
    done = read(tmp_path, **variables)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_a_fresh_checkout_runs_with_nothing_set(tmp_path: Path) -> None:
    found = values(tmp_path)
    assert found["ENGINE"] == "django.db.backends.sqlite3"
    assert found["EMBEDDED_QUEUE"] and found["REDIS_URL"] == f"unix://{tmp_path / 'data' / 'queue.sock'}"
    assert found["CELERY_BROKER_URL"] == f"redis+socket://{tmp_path / 'data' / 'queue.sock'}"
    assert not found["DEBUG"]


def test_two_variables_move_a_site_to_postgresql_and_redis(tmp_path: Path) -> None:
    found = values(tmp_path, DATABASE_URL="postgres://me@db/colloquy", REDIS_URL="redis://cache:6379/0")
    assert found["ENGINE"] == "django.db.backends.postgresql"
    assert not found["EMBEDDED_QUEUE"]
    assert found["CELERY_BROKER_URL"] == "redis://cache:6379/0"


def test_https_makes_cookies_secure(tmp_path: Path) -> None:
    found = values(tmp_path, SITE_URL="https://talk.example.org/")
    assert found["SESSION_COOKIE_NAME"] == "__Host-session" and found["SESSION_COOKIE_SECURE"]
    assert found["WORKER_COOKIE_NAME"] == "__Host-worker"
    assert "talk.example.org" in found["ALLOWED_HOSTS"]
    assert found["CSRF_TRUSTED_ORIGINS"] == ["https://talk.example.org"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SERVING_BATCH_SIZE", "many"),
        ("TURN_LEASE_S", "1.5s"),
        ("SWEEP_INTERVAL_S", ""),
        ("SERVING_PRECISION", "half"),
        ("ACCOUNT_TRACE_DAYS", "a month"),
    ],
)
def test_nonsense_stops_the_start_and_names_itself(tmp_path: Path, name: str, value: str) -> None:
    done = read(tmp_path, **{name: value})
    assert done.returncode != 0
    assert value in done.stderr.strip().splitlines()[-1]


@pytest.mark.parametrize("days", ["0", "-1", "91"])
def test_traces_are_kept_for_some_days_and_no_longer_than_a_device_s_mark(tmp_path: Path, days: str) -> None:
    done = read(tmp_path, ACCOUNT_TRACE_DAYS=days)
    assert done.returncode != 0
    assert f"ACCOUNT_TRACE_DAYS is {days}; choose a number of days from 1 to 90." in done.stderr


def test_a_currency_that_is_none_stops_the_start(tmp_path: Path) -> None:
    done = read(tmp_path, PAY_CURRENCY="pounds")
    assert done.returncode and "PAY_CURRENCY is 'pounds'; write three capital letters" in done.stderr


def test_the_secret_key_is_made_once_and_is_private(tmp_path: Path) -> None:
    values(tmp_path)
    key = tmp_path / "data" / "secret_key"
    first = key.read_text()
    assert len(first) >= 64 and key.stat().st_mode & 0o777 == 0o600
    values(tmp_path)
    assert key.read_text() == first
    assert [path.name for path in (tmp_path / "data").iterdir()] == ["secret_key"]


@pytest.mark.parametrize("address", ["9100", "localhost", "localhost:x", ":9100", "localhost:70000"])
def test_an_address_that_is_none_stops_the_start(tmp_path: Path, address: str) -> None:
    done = read(tmp_path, METRICS_ADDRESS=address)
    assert done.returncode != 0
    assert f"METRICS_ADDRESS is {address!r}, which is no address: write host:port" in done.stderr


@pytest.mark.parametrize(("variable", "value"), [("LOG_LEVEL", "LOUD"), ("LOG_FORMAT", "xml")])
def test_an_unknown_way_of_logging_stops_the_start(tmp_path: Path, variable: str, value: str) -> None:
    done = read(tmp_path, **{variable: value})
    assert done.returncode != 0 and value in done.stderr
