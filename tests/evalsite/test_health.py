"""What load balancers and monitors ask."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from evalsite import health
from evalsite.celery import app
from modelhub.models import ServingWorker

NOWHERE = "redis://127.0.0.1:1/0"


@pytest.fixture
def silent_port() -> Iterator[int]:
    """Something that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def lines(client: Client, **query: str) -> tuple[int, list[str]]:
    answer = client.get("/readyz", query)
    return answer.status_code, answer.content.decode().splitlines()


def seen(ago: timedelta, state: str = ServingWorker.State.READY) -> ServingWorker:
    return ServingWorker.objects.create(name="w", device="cpu", state=state, seen_at=timezone.now() - ago)


@pytest.mark.django_db
def test_a_process_whose_parts_answer_is_ready(client: Client) -> None:
    status, said = lines(client)
    assert status == 200
    assert said[:4] == ["ready", "database: answers", "broker: answers", "channel layer: answers"]


@pytest.mark.django_db
def test_a_channel_layer_that_is_gone_is_named_without_its_address(client: Client, settings) -> None:
    settings.REDIS_URL = NOWHERE
    status, said = lines(client)
    assert (status, said[0], said[3]) == (503, "not ready", "channel layer: no answer")
    assert "127" not in "".join(said)


@pytest.mark.django_db
@pytest.mark.parametrize("url", [NOWHERE, "amqp://guest:guest@127.0.0.1:1//"])
def test_a_broker_that_is_gone_is_named(client: Client, monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setitem(app.conf, "broker_write_url", url)
    status, said = lines(client)
    assert (status, said[2]) == (503, "broker: no answer")


@pytest.mark.django_db
def test_a_database_that_is_gone_is_named(client: Client, away: None) -> None:
    status, said = lines(client)
    assert (status, said[1]) == (503, "database: no answer")


@pytest.mark.django_db
@pytest.mark.parametrize("scheme", ["redis", "amqp"])
def test_parts_that_hang_together_cost_no_more_than_one(
    client: Client, settings, monkeypatch: pytest.MonkeyPatch, silent_port: int, scheme: str
) -> None:
    settings.REDIS_URL = f"redis://127.0.0.1:{silent_port}/0"
    monkeypatch.setitem(app.conf, "broker_write_url", f"{scheme}://127.0.0.1:{silent_port}/0")
    begun = time.monotonic()
    status, said = lines(client)
    assert (status, said[2:4]) == (503, ["broker: no answer", "channel layer: no answer"])
    assert time.monotonic() - begun < health.PART_LIMIT_S + 1


def test_who_comes_while_a_part_is_asked_shares_the_answer() -> None:
    asked: list[float] = []
    probe = health.Probe("slow", lambda: bool(asked.append(0) or time.sleep(0.2) or True))
    answers = [probe.ask() for _ in range(20)]
    assert all(answer.result(5) for answer in answers)
    assert len(asked) == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("ago_s", "state", "told"),
    [(3, "ready", "answers"), (30, "ready", "no answer"), (3, "starting", "no answer")],
)
def test_a_worker_counts_while_it_is_ready_and_heard_of(
    client: Client, ago_s: int, state: str, told: str
) -> None:
    seen(timedelta(seconds=ago_s), state)
    assert lines(client)[1][4] == f"worker: {told}"


@pytest.mark.django_db
def test_a_site_without_a_worker_stays_in_rotation(client: Client) -> None:
    status, said = lines(client)
    assert (status, said[4]) == (200, "worker: no answer")


@pytest.mark.django_db
def test_a_monitor_may_count_the_worker(client: Client) -> None:
    status, said = lines(client, worker="1")
    assert (status, said[0]) == (503, "not ready")


def test_health_needs_nothing(client: Client, settings) -> None:
    """Without the database mark every query would fail the test."""
    settings.REDIS_URL = NOWHERE
    assert client.get("/healthz").content == b"ok\n"


def test_readiness_is_only_read(client: Client) -> None:
    assert client.post("/readyz").status_code == 405
