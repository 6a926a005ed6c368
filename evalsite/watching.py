"""What each long-running process does so that it can be watched: log what nobody caught, and answer Prometheus."""

from __future__ import annotations

import logging

from django.conf import settings

from evalsite import logs, metrics

logger = logging.getLogger(__name__)


def begin(process: str) -> None:
    """At the start of a ``web``, ``worker`` or ``sweeper`` process. A second call changes nothing."""
    logs.catch_uncaught()
    if settings.METRICS_ADDRESS is None:
        return
    try:
        metrics.serve(*settings.METRICS_ADDRESS)
    except OSError as error:
        # People talk on a site that nobody measures.
        host, port = settings.METRICS_ADDRESS
        logger.error(
            "no metrics: METRICS_ADDRESS cannot be listened on; give each process a port of its own",
            extra={"process_kind": process, "host": host, "port": port, "error": error.strerror},
        )
