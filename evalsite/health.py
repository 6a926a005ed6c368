"""Whether this process can do its work: what it needs answers, each part asked at once and within a limit.

``/healthz`` touches nothing: a process that answers it is alive and must not be restarted for what others lack.
``/readyz`` asks the database, the broker and the channel layer, and answers 503 when one is silent, so that a load
balancer sends people elsewhere. A site without a serving worker stays in rotation: its pages open, ratings are
stored and messages wait in the database, all of which a 503 would take away. The answer tells of the worker all the
same, and ``/readyz?worker=1`` counts it, for monitors that wake somebody.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from concurrent.futures import TimeoutError as TooLate

import redis
from django.conf import settings
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe
from redis.backoff import NoBackoff
from redis.retry import Retry

from chat import serving_status
from evalsite.celery import app

logger = logging.getLogger(__name__)

#: For each part; all are asked at once, so the whole answer takes little longer.
PART_LIMIT_S = 2.0
WORKER = "worker"


@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    """The process answers."""
    return HttpResponse("ok\n", content_type="text/plain")


@require_safe
def readyz(request: HttpRequest) -> HttpResponse:
    """200 when this process can serve, else 503; one line a part, without addresses."""
    parts = readiness()
    counted = [part for part in parts if part != WORKER or request.GET.get("worker") == "1"]
    is_ready = all(parts[part] for part in counted)
    lines = ["ready" if is_ready else "not ready"]
    lines += [f"{part}: {'answers' if answers else 'no answer'}" for part, answers in parts.items()]
    text = "\n".join(lines) + "\n"
    return HttpResponse(text, status=200 if is_ready else 503, content_type="text/plain")


def readiness() -> dict[str, bool]:
    """Each part by name, and whether it answered within PART_LIMIT_S. Never raises for a part that is down."""
    until = time.monotonic() + PART_LIMIT_S
    asked = {name: probe.ask() for name, probe in PROBES.items()}
    return {name: answered(answer, until) for name, answer in asked.items()}


def answered(answer: Future[bool], until: float) -> bool:
    try:
        return answer.result(timeout=max(0.0, until - time.monotonic()))
    except TooLate:
        return False


class Probe:
    """Asks one part on a thread of its own; whoever comes while it asks shares the answer.

    So a part that hangs holds one thread, and a flood of requests asks each part once at a time.
    """

    def __init__(self, name: str, question: Callable[[], bool]) -> None:
        self._name = name
        self._question = question
        self._lock = threading.Lock()
        self._answer: Future[bool] | None = None

    def answers(self) -> bool:
        """Whether the part answers within PART_LIMIT_S."""
        return answered(self.ask(), time.monotonic() + PART_LIMIT_S)

    def ask(self) -> Future[bool]:
        """An answer that is on its way."""
        with self._lock:
            if self._answer is None or self._answer.done():
                self._answer = Future()
                asking = threading.Thread(
                    target=self._run, args=(self._answer,), name=f"probe-{self._name}", daemon=True
                )
                asking.start()
            return self._answer

    def _run(self, answer: Future[bool]) -> None:
        try:
            answer.set_result(self._question())
        except Exception as error:
            # Whatever its driver throws, the part does not answer.
            logger.warning(
                "a part does not answer", extra={"part": self._name, "error": type(error).__name__}
            )
            answer.set_result(False)
        finally:
            connection.close()  # this thread's own, back to the pool


def database_answers() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        return bool(cursor.fetchone() == (1,))


def broker_answers() -> bool:
    """Celery's broker takes a connection: Redis answers a ping, RabbitMQ opens one and greets."""
    options = app.conf.broker_transport_options | {
        "socket_timeout": PART_LIMIT_S,
        "socket_connect_timeout": PART_LIMIT_S,
    }
    with app.connection_for_write(connect_timeout=PART_LIMIT_S, transport_options=options) as broker:
        broker.connect()
        return bool(broker.connected)


def channel_layer_answers() -> bool:
    """The Redis through which sockets hear of replies."""
    once = Retry(NoBackoff(), retries=0)  # the default retries for seconds
    client = redis.Redis.from_url(
        settings.REDIS_URL,
        socket_timeout=PART_LIMIT_S,
        retry=once,
        **({} if settings.REDIS_URL.startswith("unix:") else {"socket_connect_timeout": PART_LIMIT_S}),
    )
    with client:
        return bool(client.ping())


PROBES: Mapping[str, Probe] = {
    name: Probe(name, answers)
    for name, answers in {
        "database": database_answers,
        "broker": broker_answers,
        "channel layer": channel_layer_answers,
        WORKER: serving_status.worker_answers,
    }.items()
}
