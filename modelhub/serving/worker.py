"""What a Celery worker does beside its tasks: load models when it starts, say when it is ready.

``worker-ready.json`` in the data folder, ``{"pid", "at", "models": [ids]}``, is there while a worker with warm
models runs. Models live in the process that runs tasks, so workers use the threads pool (``-P threads``).
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Iterable
from pathlib import Path

from celery.signals import worker_init, worker_ready, worker_shutdown
from django.conf import settings
from django.db import close_old_connections
from django.utils import timezone

from modelhub import serving
from modelhub.errors import ModelhubError
from modelhub.serving.engine import Engine, engine

log = logging.getLogger(__name__)


def ready_file() -> Path:
    return Path(settings.DATA_DIR) / "worker-ready.json"


def wanted_revisions() -> list[int]:
    """The ids that the apps above want loaded, each once."""
    return list(dict.fromkeys(revision_id for ids in serving.wanted for revision_id in ids()))


def load_wanted(into: Engine, revision_ids: Iterable[int]) -> None:
    """Load and warm; a model that fails is logged, and the others go on."""
    wanted = list(revision_ids)
    for place, revision_id in enumerate(wanted, 1):
        log.info("loading model %d of %d", place, len(wanted))
        try:
            into.load([revision_id], log.info)
        except ModelhubError as error:
            log.error("revision %s cannot be loaded: %s", revision_id, error)


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
    from modelhub.polyencoder.cores import (
        compute_on_single_threads,
    )  # imports torch, which web processes must not

    ready_file().unlink(missing_ok=True)
    compute_on_single_threads()
    load_wanted(engine(), wanted_revisions())
    close_old_connections()


@worker_ready.connect(weak=False, dispatch_uid="modelhub.ready")
def on_worker_ready(**_: object) -> None:
    write_ready(engine().loaded)
    log.info("ready: %d models are warm", len(engine().loaded))


@worker_shutdown.connect(weak=False, dispatch_uid="modelhub.shutdown")
def on_worker_shutdown(**_: object) -> None:
    remove_ready()
    engine().close()
