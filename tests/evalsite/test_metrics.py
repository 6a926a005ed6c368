"""What Prometheus reads."""

from __future__ import annotations

import urllib.request
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from prometheus_client import REGISTRY
from prometheus_client.parser import text_string_to_metric_families

from chat import turns
from chat.models import Conversation
from evalsite import metrics, watching
from modelhub.models import ModelHealth, ServedModel, ServingWorker
from tests.site_process import free_port

#: The values of a metric by those of its labels.
Values = dict[tuple[str, ...], float]


@pytest.fixture
def scrape(transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], Values]]:
    """``scrape("turns")``: a metric as Prometheus reads it; the database is asked each time."""
    monkeypatch.setattr(metrics, "_server", None)
    monkeypatch.setattr(metrics, "FRESH_S", 0)
    collectors = set(REGISTRY._collector_to_names)
    port = free_port()
    metrics.serve("127.0.0.1", port)
    yield lambda name: read(port, name)
    metrics._server.shutdown()
    metrics._server.server_close()
    for collector in set(REGISTRY._collector_to_names) - collectors:
        REGISTRY.unregister(collector)


def read(port: int, name: str) -> Values:
    text = urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics").read().decode()
    return {
        tuple(sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text)
        if family.name == f"colloquy_{name}"
        for sample in family.samples
    }


def test_the_public_port_has_no_metrics(client: Client, db: None) -> None:
    assert client.get("/metrics").status_code == 404


def test_a_process_answers_on_its_own_address(scrape: Callable[[str], Values]) -> None:
    assert scrape("sockets_open") == {(): 0}


def test_a_taken_address_does_not_stop_the_process(
    settings, caplog: pytest.LogCaptureFixture, monkeypatch
) -> None:
    import socket

    monkeypatch.setattr(metrics, "_server", None)
    with socket.create_server(("127.0.0.1", 0)) as other:
        settings.METRICS_ADDRESS = other.getsockname()[:2]
        watching.begin("web")
    assert "give each process a port of its own" in caplog.text


# --- What the database tells ------------------------------------------------------------------------------------------


def test_replies_and_talks_are_told_by_state(talk: Conversation, scrape: Callable[[str], Values]) -> None:
    turns.say(talk.pk, talk.participation_id, "What do you do all day?", "c1")
    assert scrape("turns")["asked",] == 1
    assert scrape("turns")["failed",] == 0
    assert scrape("talks")["chatting",] == 1


def test_what_a_model_owes_is_told(talk: Conversation, scrape: Callable[[str], Values]) -> None:
    model = talk.arm.revision.reference
    assert scrape("owed_turns")[model,] == 0
    turns.say(talk.pk, talk.participation_id, "What do you do all day?", "c1")
    talk.turns.update(asked_at=timezone.now() - timedelta(seconds=60))
    assert scrape("owed_turns")[model,] == 1
    assert 59 < scrape("oldest_owed_turn_seconds")[model,] < 90


def test_workers_models_and_breakers_are_told(talk: Conversation, scrape: Callable[[str], Values]) -> None:
    now, revision = timezone.now(), talk.arm.revision
    worker = ServingWorker.objects.create(name="w", device="cpu", state="ready", seen_at=now)
    ServingWorker.objects.create(name="v", device="cpu", state="ready", seen_at=now - timedelta(seconds=60))
    ServedModel.objects.create(worker=worker, revision=revision, state="loading", changed_at=now)
    ModelHealth.objects.create(revision=revision, is_open=True)
    assert scrape("workers") == {("starting",): 0, ("ready",): 1, ("stopping",): 0, ("silent",): 1}
    assert scrape("served_models") == {(revision.reference, "loading"): 1}
    assert scrape("breaker_open") == {(revision.reference,): 1}


def test_a_database_that_is_gone_is_told_and_the_rest_goes_on(
    scrape: Callable[[str], Values], away: None
) -> None:
    assert scrape("database_up") == {(): 0}
    assert scrape("sockets_open") == {(): 0}


def test_the_database_is_asked_once_however_many_look(
    scrape: Callable[[str], Values], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []
    monkeypatch.setattr(metrics, "FRESH_S", 60)
    monkeypatch.setattr(metrics, "site_metrics", lambda: asked.append(1) or [])
    for _ in range(3):
        scrape("database_up")
    assert len(asked) == 1
