"""What must happen although nobody asks: idle talks end, and replies that got lost are asked for again."""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass

from django.db import DatabaseError, close_old_connections

from chat import turns

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Swept:
    """What one sweep did."""

    abandoned: int
    asked_again: int


def sweep_once() -> Swept:
    """One sweep; safe beside others and while everything runs."""
    return Swept(abandoned=turns.abandon_idle(), asked_again=turns.ask_again())


def sweep_until(stop: threading.Event, interval_s: float) -> None:
    """Sweep each interval until told to stop. A database that is away for a while does not end it."""
    while not stop.is_set():
        try:
            sweep_once()
        except DatabaseError:
            logger.exception("a sweep failed; the next follows")
        finally:
            close_old_connections()
        stop.wait(interval_s)
