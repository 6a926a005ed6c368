"""Figures for Prometheus, on an address of their own that METRICS_ADDRESS names; the public port has none.

Each process tells what it counted itself (chat.metrics, modelhub.serving.metrics) and, out of the database, how the
whole site stands. All processes tell the same of the site; ``max by`` takes one.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterable, Iterator
from typing import Any
from wsgiref.simple_server import WSGIServer

from django.db import DatabaseError, connection
from django.db.models import Count, QuerySet
from prometheus_client import REGISTRY, start_http_server
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

# Counters are registered when their modules are imported: every process tells all of them, from the start.
import chat.metrics  # noqa: F401
import modelhub.serving.metrics  # noqa: F401
from chat.models import Conversation, Turn
from chat.serving_status import Durations, ModelStatus, ServingStatus, serving_status

logger = logging.getLogger(__name__)

#: However many scrape, the database is asked at most so often.
FRESH_S = 2.0

_server: WSGIServer | None = None
_starting = threading.Lock()


def serve(host: str, port: int) -> None:
    """Answer on this address from threads of its own; once a process. Raises OSError when it is taken."""
    global _server
    with _starting:
        if _server is None:
            _server, _ = start_http_server(port, host)
            REGISTRY.register(SiteCollector())
            logger.info("metrics are served", extra={"host": host, "port": port})


class SiteCollector(Collector):
    """The site's state, read from the database when somebody asks, at most each FRESH_S."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: list[Metric] = []
        self._until = 0.0

    def describe(self) -> Iterable[Metric]:
        """Nothing: registering must not ask the database."""
        return []

    def collect(self) -> Iterable[Metric]:
        with self._lock:
            if time.monotonic() >= self._until:
                self._known = self._read()
                self._until = time.monotonic() + FRESH_S
            return self._known

    def _read(self) -> list[Metric]:
        """Without the database, that alone is told; what the process counted itself goes on."""
        answers = gauge("database_up", "Whether the database answered this process.")
        try:
            found = list(site_metrics())
            answers.add_metric([], 1)
            return [answers, *found]
        except DatabaseError as error:
            logger.warning("the site's metrics could not be read", extra={"error": type(error).__name__})
            answers.add_metric([], 0)
            return [answers]
        finally:
            connection.close()  # this thread's own; threads that answer scrapes do not last


def gauge(name: str, text: str, *labels: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"colloquy_{name}", text, labels=labels)


def site_metrics() -> Iterator[Metric]:
    """Everything that the database tells; twelve queries."""
    status = serving_status()
    unanswered = set(Turn.State.values) - {
        Turn.State.ANSWERED
    }  # which are nearly all: 0.3 s to count a million
    yield counts("turns", "Replies by state, but for those that were given.", unanswered, Turn.objects.all())
    yield counts("talks", "Talks by state.", Conversation.State.values, Conversation.objects.all())
    yield from worker_metrics(status)
    for model_metric in (owed_metrics, recent_metrics, duration_metrics):
        yield from model_metric(status.models)


def counts(name: str, text: str, states: Iterable[str], rows: QuerySet[Any]) -> Metric:
    """Rows by state; a state that none has is 0."""
    family = gauge(name, text, "state")
    states = list(states)
    found = dict(rows.filter(state__in=states).order_by().values_list("state").annotate(Count("pk")))
    for state in states:
        family.add_metric([state], found.get(state, 0))
    return family


def worker_metrics(status: ServingStatus) -> Iterator[Metric]:
    """Workers and what they hold, counted by state."""
    workers = gauge("workers", "Serving workers by state.", "state")
    for state in ("starting", "ready", "stopping", "silent"):
        workers.add_metric([state], sum(worker.state == state for worker in status.workers))
    yield workers
    served = gauge("served_models", "Workers that have a model in this state.", "model", "state")
    found: dict[tuple[str, str], int] = {}
    for row in status.served:
        if not row.worker_is_silent:
            found[row.reference, row.state] = found.get((row.reference, row.state), 0) + 1
    for labels, count in found.items():
        served.add_metric(labels, count)
    yield served


def owed_metrics(models: Iterable[ModelStatus]) -> Iterator[Metric]:
    owed = gauge("owed_turns", "Replies that are still to be made.", "model")
    oldest = gauge("oldest_owed_turn_seconds", "How long the oldest of them has been owed.", "model")
    broken = gauge("breaker_open", "Whether the model is taken out after failures.", "model")
    talks = gauge("live_talks", "Talks that are not over.", "model")
    for model in models:
        owed.add_metric([model.reference], model.owed)
        oldest.add_metric([model.reference], model.oldest_owed_s or 0)
        broken.add_metric([model.reference], model.is_broken)
        talks.add_metric([model.reference], model.live_talks)
    yield from (owed, oldest, broken, talks)


def recent_metrics(models: Iterable[ModelStatus]) -> Iterator[Metric]:
    replies = gauge("recent_replies", "Replies of the last five minutes.", "model")
    failed = gauge("recent_failed_turns", "Replies of the last five minutes that nobody could give.", "model")
    again = gauge("recent_asked_again", "Replies of the last five minutes that were asked again.", "model")
    for model in models:
        replies.add_metric([model.reference], model.replies)
        failed.add_metric([model.reference], model.failed)
        again.add_metric([model.reference], model.asked_again)
    yield from (replies, failed, again)


def duration_metrics(models: Iterable[ModelStatus]) -> Iterator[Metric]:
    """p50 and p95 of the last five minutes; a model that gave no reply has none."""
    for part, text in (
        ("queued", "Waiting until a batch took the message up"),
        ("generated", "The model's own time"),
    ):
        family = gauge(f"recent_{part}_seconds", f"{text}, in the last five minutes.", "model", "quantile")
        for model in models:
            durations: Durations | None = getattr(model, part)
            if durations:
                family.add_metric([model.reference, "0.5"], durations.p50_ms / 1000)
                family.add_metric([model.reference, "0.95"], durations.p95_ms / 1000)
        yield family
