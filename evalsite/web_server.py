"""The web server of one process: pages and sockets under uvicorn, within the same limits however it is started."""

from __future__ import annotations

import os

import uvicorn

from evalsite.preflight import Address

#: Frames above this close a socket with 1009.
LARGEST_FRAME_BYTES = 16384
#: Some proxies drop a socket that is silent for a minute; a slow phone may answer late.
PING_INTERVAL_S = 25
PING_TIMEOUT_S = 60
#: What requests get to end in when the process is asked to stop; sockets are closed at once, and browsers resume.
GRACEFUL_SHUTDOWN_S = 3


def serve(address: Address) -> None:
    """Serve until SIGTERM or SIGINT.

    The scheme and address that a proxy forwards count only from peers that FORWARDED_ALLOW_IPS names; uvicorn reads
    the variable itself.
    """
    uvicorn.run(
        "evalsite.asgi:application",
        host=address.host,
        port=address.port,
        proxy_headers=bool(os.environ.get("FORWARDED_ALLOW_IPS")),
        server_header=False,
        ws="websockets-sansio",
        ws_max_size=LARGEST_FRAME_BYTES,
        ws_ping_interval=PING_INTERVAL_S,
        ws_ping_timeout=PING_TIMEOUT_S,
        lifespan="off",
        access_log=False,
        log_config=None,  # its lines go the way of all others (LOGGING)
        log_level="warning",
        timeout_graceful_shutdown=GRACEFUL_SHUTDOWN_S,
    )
