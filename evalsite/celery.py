"""The Celery application; tasks are found in each app's ``tasks`` module."""

import os
from typing import Any

from celery import Celery
from celery.signals import setup_logging, worker_init

from evalsite import broker

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "evalsite.settings")

app = Celery("evalsite")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
broker.keep_workers_alive()


@setup_logging.connect(weak=False, dispatch_uid="evalsite.logging")
def keep_logging(**_: Any) -> None:
    """Django has set logging up; being connected keeps Celery from adding its own handlers and levels."""


@worker_init.connect(weak=False, dispatch_uid="evalsite.watch")
def watch_worker(**_: Any) -> None:
    """Before it loads its models, so that one can watch it do so."""
    from evalsite import watching

    watching.begin("worker")
