"""What each long-running process does so that it can be watched: log what nobody caught."""

from __future__ import annotations

from evalsite import logs


def begin(process: str) -> None:
    """At the start of a ``web``, ``worker`` or ``sweeper`` process."""
    logs.catch_uncaught()
