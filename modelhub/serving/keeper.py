"""What a worker does beside answering: says that it lives, and keeps loaded what is wanted.

Two threads a worker: the pulse, which must not wait while a large model is loaded, or the worker would count as gone,
and the upkeep. The database may be away for a while: what could not be said is said the next time.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable

from django.conf import settings
from django.db import DatabaseError, close_old_connections

from modelhub import registry, serving
from modelhub.errors import ModelhubError
from modelhub.models import Revision, ServedModel, ServingWorker
from modelhub.serving import health, routing
from modelhub.serving.engine import Engine
from modelhub.serving.roster import Entry

log = logging.getLogger(__name__)

#: Used and free MB of the worker's device; both 0 where nobody asks.
Memory = Callable[[], tuple[int, int]]


def wanted_revisions(slugs: Iterable[str] = ()) -> list[int]:
    """The ids that the apps above want loaded, each once; with ``slugs`` those of these models and their latest.

    Raises UnknownModel.
    """
    wanted = dict.fromkeys(revision_id for ids in serving.wanted for revision_id in ids())
    slugs = list(slugs)
    if not slugs:
        return list(wanted)
    latest = [registry.resolve(slug).pk for slug in slugs]
    used = Revision.objects.filter(pk__in=wanted, model__slug__in=slugs).values_list("pk", flat=True)
    return list(dict.fromkeys([*latest, *used]))


class Keeper:
    """Keeps a worker's row, its models' rows and its engine in step with what is wanted."""

    def __init__(self, engine: Engine, device: str, memory: Memory = lambda: (0, 0)) -> None:
        self.engine = engine
        self._slugs = list(settings.SERVING_MODELS)
        self._memory = memory
        self.entry = Entry(routing.group_of(self._slugs), device)
        engine.watcher = self._watched
        self._unwanted_since: dict[int, float] = {}
        self._stopped = threading.Event()
        self._threads = [
            threading.Thread(target=self._every_heartbeat, args=(step,), name=name, daemon=True)
            for name, step in (("serving-pulse", self.pulse), ("serving-upkeep", self.keep_up))
        ]

    def load_wanted(self) -> None:
        """Load and warm what is wanted; a model that cannot be is noted, and the others go on."""
        wanted = self._wanted()
        for revision_id in wanted:
            self._watched(revision_id, ServedModel.State.WAITING, "")
        for place, revision_id in enumerate(wanted, 1):
            log.info("loading", extra={"revision": revision_id, "place": place, "of": len(wanted)})
            self._load(revision_id)

    def begin_pulse(self) -> None:
        """Say each heartbeat that the worker lives, from here on."""
        self._threads[0].start()

    def begin_upkeep(self) -> None:
        """Keep up with what is wanted, from here on; after the first loading."""
        self._threads[1].start()

    def say(self, state: ServingWorker.State) -> None:
        self.entry.say(state)

    def end(self) -> None:
        """Say and load no more, and take the rows away."""
        self._stopped.set()
        for thread in self._threads:
            if thread.is_alive():
                thread.join(settings.SERVING_HEARTBEAT_S + 5)
        self.entry.leave()

    def pulse(self) -> None:
        """Say once that the worker lives, and what memory it has."""
        self.entry.beat(*self._memory())

    def keep_up(self) -> None:
        """One round: load, unload, try what is sick."""
        wanted = self._wanted()
        for revision_id in set(wanted) - set(self.engine.loaded):
            if not self.engine.is_refused(revision_id):
                self._load(revision_id)
        self._unload(set(self.engine.loaded) - set(wanted) - self._parts(wanted))
        for revision_id in self.engine.loaded:
            if health.claim_probe(revision_id):
                self._probe(revision_id)

    def _every_heartbeat(self, step: Callable[[], None]) -> None:
        while not self._stopped.wait(settings.SERVING_HEARTBEAT_S):
            try:
                step()
            except Exception:
                log.exception("a worker's round failed; the next follows")
            finally:
                close_old_connections()

    def _wanted(self) -> list[int]:
        """A worker for everything leaves to groups what they hold."""
        wanted = wanted_revisions(self._slugs)
        if self._slugs:
            return wanted
        elsewhere = routing.held_by_groups()
        return [revision_id for revision_id in wanted if revision_id not in elsewhere]

    def _parts(self, wanted: Iterable[int]) -> set[int]:
        """Of the composites among these, and of theirs."""
        parts = set(Revision.objects.filter(used_by__in=list(wanted)).values_list("pk", flat=True))
        return parts | self._parts(parts) if parts else parts

    def _load(self, revision_id: int) -> None:
        """The engine tells what became of it."""
        try:
            self.engine.load([revision_id], log.info)
        except ModelhubError as error:
            log.error("a model cannot be loaded: %s", error, extra={"revision": revision_id})
        else:
            health.close(revision_id)

    def _watched(self, revision_id: int, state: str, detail: str) -> None:
        """Note it; a database that is away must not keep a model from loading."""
        try:
            if Revision.objects.filter(pk=revision_id).exists():
                self.entry.note(revision_id, state, detail)
        except DatabaseError:
            log.warning("what became of a model could not be noted", exc_info=True)

    def _unload(self, unwanted: set[int]) -> None:
        """Unload what nobody has wanted for SERVING_UNLOAD_AFTER_S."""
        now = time.monotonic()
        self._unwanted_since = {each: self._unwanted_since.get(each, now) for each in unwanted}
        for revision_id, since in self._unwanted_since.items():
            if now - since >= settings.SERVING_UNLOAD_AFTER_S:
                self.entry.note(revision_id, ServedModel.State.UNLOADING)
                self.engine.unload(revision_id)
                self.entry.drop(revision_id)
                log.info("unloaded", extra={"revision": revision_id})

    def _probe(self, revision_id: int) -> None:
        try:
            self.engine.probe(revision_id)
        except ModelhubError as error:
            health.probe_failed(revision_id, f"{error.code}, when it was tried again")
        else:
            health.close(revision_id)
