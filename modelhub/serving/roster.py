"""Who serves what: a worker's own row and those of its models, and what they tell about a model."""

from __future__ import annotations

import os
import socket
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from django.db.models import QuerySet
from django.utils import timezone

from modelhub.models import ServedModel, ServingWorker

#: A worker that was silent for so long counts as gone.
SILENT_AFTER = timedelta(seconds=15)
#: Its row is kept for as long, so that a page can say who went.
FORGOTTEN_AFTER = timedelta(days=1)


def live() -> QuerySet[ServingWorker]:
    """Workers that said something lately."""
    return ServingWorker.objects.filter(seen_at__gte=timezone.now() - SILENT_AFTER)


def ready() -> QuerySet[ServingWorker]:
    """Live workers that take turns."""
    return live().filter(state=ServingWorker.State.READY)


@dataclass(frozen=True, slots=True)
class Standing:
    """How a revision stands among live workers; ``refusals`` are the sentences of those that could not hold it."""

    ready: int = 0
    loading: int = 0
    refusals: tuple[str, ...] = ()

    @property
    def is_refused(self) -> bool:
        """Somebody tried, and nobody holds it or is about to."""
        return bool(self.refusals) and not self.ready and not self.loading

    @property
    def words(self) -> str:
        """For a researcher: one sentence without its full stop, unless it is a worker's own."""
        if self.ready:
            return f"ready on {self.ready} worker{'s' if self.ready > 1 else ''}"
        if self.loading:
            return "being loaded"
        return (
            f"refused: {self.refusals[0]}"
            if self.refusals
            else "no worker holds it yet; the first turn has it loaded"
        )


def standings() -> Mapping[int, Standing]:
    """Every revision that a live worker has to do with; one query."""
    found: dict[int, list[tuple[str, str]]] = defaultdict(list)
    rows = ServedModel.objects.filter(worker__in=live()).values_list("revision_id", "state", "detail")
    for revision_id, state, detail in rows:
        found[revision_id].append((state, detail))
    return {revision_id: _standing(states) for revision_id, states in found.items()}


def _standing(states: Iterable[tuple[str, str]]) -> Standing:
    kinds = ServedModel.State
    states = list(states)
    return Standing(
        ready=sum(state == kinds.READY for state, _ in states),
        loading=sum(state in (kinds.WAITING, kinds.LOADING, kinds.WARMING) for state, _ in states),
        refusals=tuple(detail for state, detail in states if state == kinds.REFUSED),
    )


class Entry:
    """A worker's own row. Every method is a write or two; none raises for a row that was taken away."""

    def __init__(self, group: str, device: str) -> None:
        name = f"{socket.gethostname()}:{os.getpid()}"
        now = timezone.now()
        ServingWorker.objects.filter(seen_at__lt=now - FORGOTTEN_AFTER).delete()
        self.group = group
        self.id = ServingWorker.objects.create(
            name=name[:120], group=group[:200], device=device, seen_at=now
        ).pk
        self._state = ServingWorker.State.STARTING
        self._told = (group[:200], device, name[:120])

    def say(self, state: ServingWorker.State) -> None:
        """Tell what the worker is about."""
        self._state = state
        ServingWorker.objects.filter(pk=self.id).update(state=state, seen_at=timezone.now())

    def beat(self, memory_mb: int, memory_free_mb: int) -> None:
        """Tell that the worker lives; its row is made again where somebody took it away."""
        group, device, name = self._told
        ServingWorker.objects.update_or_create(
            pk=self.id,
            defaults={
                "seen_at": timezone.now(),
                "memory_mb": memory_mb,
                "memory_free_mb": memory_free_mb,
                "state": self._state,
            },
            create_defaults={
                "group": group,
                "device": device,
                "name": name,
                "seen_at": timezone.now(),
                "state": self._state,
            },
        )

    def note(self, revision_id: int, state: str, detail: str = "", memory_mb: int | None = None) -> None:
        """Tell what became of a model here."""
        known = {"state": state, "detail": detail, "changed_at": timezone.now()}
        if memory_mb is not None:
            known["memory_mb"] = memory_mb
        ServedModel.objects.update_or_create(worker_id=self.id, revision_id=revision_id, defaults=known)

    def drop(self, revision_id: int) -> None:
        """The model is here no more."""
        ServedModel.objects.filter(worker=self.id, revision=revision_id).delete()

    def leave(self) -> None:
        ServingWorker.objects.filter(pk=self.id).delete()
