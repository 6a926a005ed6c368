"""What must happen although nobody asks: idle talks end, replies that got lost are asked for again, those that a
dead worker held are shown, and traces of accounts are deleted on their day.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass

from django.db import close_old_connections
from django.utils import timezone

from chat import endings, metrics, replies, traces

logger = logging.getLogger(__name__)

#: What apps above do in a process that begins to sweep.
on_start: list[Callable[[], None]] = []
#: What apps above do in each sweep; quick, and safe beside others.
on_sweep: list[Callable[[], object]] = []


@dataclass(frozen=True, slots=True)
class Swept:
    """What one sweep did."""

    abandoned: int
    asked_again: int
    delivered: int
    forgotten: int


def sweep_once() -> Swept:
    """One sweep; safe beside others and while everything runs."""
    swept = Swept(
        delivered=replies.deliver_overdue(),
        asked_again=replies.ask_again(),
        abandoned=endings.abandon_idle(),
        forgotten=traces.forget_expired(timezone.now()),
    )
    for act in on_sweep:
        act()
    return swept


def sweep_until(stop: threading.Event, interval_s: float) -> None:
    """Sweep each interval until told to stop. Nothing that fails ends it: a database or queue may be away."""
    for begin in on_start:
        begin()
    while not stop.is_set():
        try:
            sweep_once()
            metrics.SWEPT.inc()
        except Exception:
            metrics.SWEEP_FAILED.inc()
            logger.exception("a sweep failed; the next follows")
        finally:
            close_old_connections()
        stop.wait(interval_s)
