"""Figures for Prometheus, on an address of their own that METRICS_ADDRESS names; the public port has none.

Each process tells what it counted itself (chat.metrics, modelhub.serving.metrics).
"""

from __future__ import annotations

import logging
import threading
from wsgiref.simple_server import WSGIServer

from prometheus_client import start_http_server

# Counters are registered when their modules are imported: every process tells all of them, from the start.
import chat.metrics  # noqa: F401
import modelhub.serving.metrics  # noqa: F401

logger = logging.getLogger(__name__)

_server: WSGIServer | None = None
_starting = threading.Lock()


def serve(host: str, port: int) -> None:
    """Answer on this address from threads of its own; once a process. Raises OSError when it is taken."""
    global _server
    with _starting:
        if _server is None:
            _server, _ = start_http_server(port, host)
            logger.info("metrics are served", extra={"host": host, "port": port})
