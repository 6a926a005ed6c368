"""Who an evaluator is: a signed cookie that names a worker and opens nothing but that worker's talks."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from django.conf import settings
from django.core import signing

from chat.models import Worker

SALT = "worker"


def cookie_value(worker: Worker) -> str:
    """What the worker's cookie holds."""
    return signing.dumps(str(worker.id), salt=SALT)


def worker_id_of(cookies: Mapping[str, str]) -> UUID | None:
    """The id in a genuine, unexpired cookie; no query."""
    try:
        value = signing.loads(
            cookies.get(settings.WORKER_COOKIE_NAME, ""), salt=SALT, max_age=settings.WORKER_COOKIE_AGE_S
        )
        return UUID(value)
    except (signing.BadSignature, ValueError, TypeError, AttributeError):
        return None


def worker_of(cookies: Mapping[str, str]) -> Worker | None:
    """The worker whom a genuine cookie names; one query."""
    worker_id = worker_id_of(cookies)
    return Worker.objects.filter(pk=worker_id).first() if worker_id else None
