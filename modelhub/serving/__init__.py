"""Answering: load, warm, batch.

``wanted`` holds functions that give the ids of the revisions a worker loads when it starts; apps above add theirs
in their AppConfig. Nothing here imports torch: web processes import this package.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

wanted: list[Callable[[], Iterable[int]]] = []
