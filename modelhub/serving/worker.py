"""What a Celery worker does beside its tasks: load models when it starts, say when it is ready.

``worker-ready.json`` in the data folder, ``{"pid", "at", "models": [ids]}``, is there while a worker with warm
models runs. Models live in the process that runs tasks, so workers use the threads pool (``-P threads``).
"""

from __future__ import annotations

import json
import logging
import os
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TypeVar

from celery.signals import worker_init, worker_ready, worker_shutdown, worker_shutting_down
from django.conf import settings
from django.db import DatabaseError, InterfaceError, OperationalError, close_old_connections
from django.utils import timezone

from modelhub.models import ServingWorker
from modelhub.serving.engine import engine
from modelhub.serving.keeper import Keeper

log = logging.getLogger(__name__)

T = TypeVar("T")

LOOK_AGAIN_S = 2.0

_keeper: Keeper | None = None


def ready_file() -> Path:
    return Path(settings.DATA_DIR) / "worker-ready.json"


def write_ready(models: list[int]) -> None:
    """Write the marker in one step: whoever looks must not read half of it."""
    content = {"pid": os.getpid(), "at": timezone.now().isoformat(), "models": models}
    partial = ready_file().with_suffix(f".{os.getpid()}")
    partial.write_text(json.dumps(content) + "\n")
    partial.replace(ready_file())


def remove_ready() -> None:
    """Remove the marker when it is this process's."""
    try:
        if json.loads(ready_file().read_text())["pid"] == os.getpid():
            ready_file().unlink()
    except (FileNotFoundError, ValueError, KeyError):
        pass


@worker_init.connect(weak=False, dispatch_uid="modelhub.load")
def on_worker_init(**_: object) -> None:
    # They import torch, which web processes must not.
    from modelhub.polyencoder.cores import compute_on_single_threads
    from modelhub.serving import memory
    from modelhub.serving.placement import placement

    global _keeper
    ready_file().unlink(missing_ok=True)
    compute_on_single_threads()
    device = placement().device
    keeper = once_the_database_answers(
        lambda: Keeper(engine(), device, lambda: (memory.used_mb(device), memory.free_mb(device)))
    )
    keeper.begin_pulse()
    once_the_database_answers(keeper.load_wanted)
    keeper.begin_upkeep()
    _keeper = keeper
    close_old_connections()


def once_the_database_answers(step: Callable[[], T]) -> T:
    """Take a step again and again while the database is away: without it a worker can neither answer nor be seen."""
    while True:
        try:
            return step()
        except (OperationalError, InterfaceError) as error:
            log.warning("the database is away: the worker waits", extra={"error": type(error).__name__})
            close_old_connections()
            time.sleep(LOOK_AGAIN_S)


@worker_ready.connect(weak=False, dispatch_uid="modelhub.ready")
def on_worker_ready(**_: object) -> None:
    if _keeper:
        once_the_database_answers(partial(_keeper.say, ServingWorker.State.READY))
    write_ready(engine().loaded)
    log.info("ready", extra={"models": len(engine().loaded)})


@worker_shutting_down.connect(weak=False, dispatch_uid="modelhub.stopping")
def on_worker_shutting_down(**_: object) -> None:
    """Sent from a signal handler: the row follows when the worker has ended."""
    log.info("stopping: what is under way is still answered")


@worker_shutdown.connect(weak=False, dispatch_uid="modelhub.shutdown")
def on_worker_shutdown(**_: object) -> None:
    global _keeper
    remove_ready()
    keeper, _keeper = _keeper, None
    try:
        if keeper:
            keeper.end()
    except DatabaseError:
        log.warning("the database is away: the worker's row goes when it has been silent")
    engine().close()
