"""Whether this process can do its work: the database answers and so does the queue."""

from __future__ import annotations

import redis
from django.conf import settings
from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe
from redis.backoff import NoBackoff
from redis.retry import Retry

QUEUE_TIMEOUT_S = 2.0


@require_safe
def readyz(request: HttpRequest) -> HttpResponse:
    """For load balancers: 200 when this process can serve, else 503 naming what does not answer."""
    missing = [part for part, answers in readiness().items() if not answers]
    text = f"no answer from: {', '.join(missing)}\n" if missing else "ready\n"
    return HttpResponse(text, status=503 if missing else 200, content_type="text/plain")


def readiness() -> dict[str, bool]:
    """Each part by name, and whether it answers; ready when all do. Never raises for a part that is down."""
    return {"database": database_answers(), "queue": queue_answers()}


def database_answers() -> bool:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
            return cursor.fetchone() == (1,)
    except DatabaseError:
        return False


def queue_answers() -> bool:
    """The channel layer's server answers; where Redis is the broker too, this is the broker."""
    once = Retry(NoBackoff(), retries=0)  # the default retries for seconds
    client = redis.Redis.from_url(settings.REDIS_URL, socket_timeout=QUEUE_TIMEOUT_S, retry=once)
    try:
        return bool(client.ping())
    except (redis.RedisError, OSError):
        return False
    finally:
        client.close()
