"""How serving goes. For researchers and monitors alone."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from modelhub.models import ServingWorker

#: A worker says each few seconds that it is alive; one that missed several is silent.
SILENT_AFTER = timedelta(seconds=15)


def worker_answers() -> bool:
    """Whether a worker that serves said lately that it is alive; one query."""
    alive = ServingWorker.objects.filter(
        state=ServingWorker.State.READY, seen_at__gte=timezone.now() - SILENT_AFTER
    )
    return alive.exists()
