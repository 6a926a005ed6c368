"""What Prometheus reads."""

from __future__ import annotations

import urllib.request
from collections.abc import Callable, Iterator

import pytest
from django.test import Client
from prometheus_client.parser import text_string_to_metric_families

from evalsite import metrics, watching
from tests.site_process import free_port

#: The values of a metric by those of its labels.
Values = dict[tuple[str, ...], float]


@pytest.fixture
def scrape(transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], Values]]:
    """``scrape("turns")``: a metric as Prometheus reads it."""
    monkeypatch.setattr(metrics, "_server", None)
    port = free_port()
    metrics.serve("127.0.0.1", port)
    yield lambda name: read(port, name)
    metrics._server.shutdown()
    metrics._server.server_close()


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
