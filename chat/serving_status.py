"""How serving goes, now and in the last minutes: workers, models, what they owe, how long replies take.

For researchers and monitors alone: everything here names models.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Count, F, Min, Q, QuerySet, Window
from django.db.models.functions import RowNumber
from django.utils import timezone

from chat.models import Arm, Conversation, Message, Study, Turn
from modelhub.models import ModelHealth, Revision, ServedModel, ServingWorker
from modelhub.serving import roster
from modelhub.serving.roster import SILENT_AFTER

#: Replies and errors are counted over this time.
RECENT = timedelta(minutes=5)
#: A worker that has been silent for so long is history and is not shown any more.
FORGOTTEN_AFTER = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Durations:
    """Percentiles of one duration, in milliseconds, by nearest rank."""

    p50_ms: int
    p95_ms: int


@dataclass(frozen=True, slots=True)
class WorkerStatus:
    """``state`` is one of ServingWorker.State, or ``silent``. Memory is that of its device, in MB."""

    id: UUID
    name: str
    group: str
    device: str
    state: str
    memory_mb: int
    memory_free_mb: int
    seen_at: datetime

    @property
    def is_ready(self) -> bool:
        return self.state == ServingWorker.State.READY


@dataclass(frozen=True, slots=True)
class ServedStatus:
    """One model in one worker; ``state`` is one of ServedModel.State, ``detail`` says why it was refused."""

    worker_id: UUID
    worker: str
    revision_id: int
    model: str
    reference: str
    state: str
    detail: str
    memory_mb: int
    changed_at: datetime
    worker_is_silent: bool


@dataclass(frozen=True, slots=True)
class ModelStatus:
    """What a revision owes, and how it did in the last RECENT.

    ``owed`` counts replies that are still to be made; the oldest of them was asked ``oldest_owed_s`` ago.
    ``queued`` runs from a stored message until a batch took it up, ``generated`` is the model's own time.
    """

    revision_id: int
    model: str
    reference: str
    ready_on: int = 0
    is_broken: bool = False
    broken_because: str = ""
    probe_at: datetime | None = None
    live_talks: int = 0
    owed: int = 0
    oldest_owed_s: float | None = None
    replies: int = 0
    queued: Durations | None = None
    generated: Durations | None = None
    failed: int = 0
    asked_again: int = 0


@dataclass(frozen=True, slots=True)
class ServingStatus:
    """Everything at one time."""

    at: datetime
    workers: tuple[WorkerStatus, ...]
    served: tuple[ServedStatus, ...]
    models: tuple[ModelStatus, ...]

    def total(self, name: str) -> int:
        """The sum of one of the models' counts."""
        return sum(getattr(model, name) for model in self.models)

    @property
    def oldest_owed_s(self) -> float | None:
        return max(
            (model.oldest_owed_s for model in self.models if model.oldest_owed_s is not None), default=None
        )


def worker_answers() -> bool:
    """Whether a worker that serves said lately that it is alive; one query."""
    return roster.ready().exists()


def serving_status() -> ServingStatus:
    """Ten queries, however many workers, models and talks there are."""
    now = timezone.now()
    workers = _workers(now)
    served = _served(workers)
    return ServingStatus(now, workers, served, _models(now, served))


# --- Workers --------------------------------------------------------------------------------------------------------


def _workers(now: datetime) -> tuple[WorkerStatus, ...]:
    seen = ServingWorker.objects.filter(seen_at__gte=now - FORGOTTEN_AFTER)
    return tuple(
        WorkerStatus(
            id=worker.pk,
            name=worker.name,
            group=worker.group,
            device=worker.device,
            state="silent" if worker.seen_at < now - SILENT_AFTER else worker.state,
            memory_mb=worker.memory_mb,
            memory_free_mb=worker.memory_free_mb,
            seen_at=worker.seen_at,
        )
        for worker in seen
    )


def _served(workers: Iterable[WorkerStatus]) -> tuple[ServedStatus, ...]:
    """What each worker holds, in the workers' order."""
    known = {worker.id: worker for worker in workers}
    rows = ServedModel.objects.filter(worker__in=known).select_related("revision__model")
    found = [_served_status(row, known[row.worker_id]) for row in rows]
    places = {worker_id: place for place, worker_id in enumerate(known)}
    return tuple(sorted(found, key=lambda status: (places[status.worker_id], status.revision_id)))


def _served_status(row: ServedModel, worker: WorkerStatus) -> ServedStatus:
    return ServedStatus(
        worker_id=worker.id,
        worker=worker.name,
        revision_id=row.revision_id,
        model=row.revision.model.name,
        reference=row.revision.reference,
        state=row.state,
        detail=row.detail,
        memory_mb=row.memory_mb,
        changed_at=row.changed_at,
        worker_is_silent=worker.state == "silent",
    )


# --- Models ---------------------------------------------------------------------------------------------------------

Counts = Mapping[int, int]
OF_REVISION = "conversation__arm__revision"


def _models(now: datetime, served: tuple[ServedStatus, ...]) -> tuple[ModelStatus, ...]:
    """Every model that is served, owes replies, or that an open study or a live talk needs."""
    figures = _Figures.read(now, served)
    needed = set(figures.ready_on) | set(figures.live) | set(figures.owed) | _of_open_studies()
    needed |= {status.revision_id for status in served}
    revisions = Revision.objects.filter(pk__in=needed).select_related("model", "health").order_by("pk")
    return tuple(figures.of(revision) for revision in revisions)


@dataclass(frozen=True, slots=True)
class _Figures:
    """What is known of all models, by the revision's id."""

    now: datetime
    ready_on: Counts
    live: Counts
    owed: Mapping[int, tuple[int, datetime]]
    replies: Counts
    queued: Mapping[int, Durations]
    generated: Mapping[int, Durations]
    failed: Counts
    asked_again: Counts

    @classmethod
    def read(cls, now: datetime, served: Iterable[ServedStatus]) -> _Figures:
        since = now - RECENT
        replies, queued = _durations("queued_ms", since)
        _, generated = _durations("generated_ms", since)
        return cls(
            now=now,
            ready_on=_ready_on(served),
            live=_live_talks(),
            owed=_owed(),
            replies=replies,
            queued=queued,
            generated=generated,
            failed=_failed(since),
            asked_again=_asked_again(since),
        )

    def of(self, revision: Revision) -> ModelStatus:
        key = revision.pk
        owed, oldest = self.owed.get(key, (0, None))
        status = ModelStatus(
            revision_id=key,
            model=revision.model.name,
            reference=revision.reference,
            ready_on=self.ready_on.get(key, 0),
            live_talks=self.live.get(key, 0),
            owed=owed,
            oldest_owed_s=(self.now - oldest).total_seconds() if oldest else None,
            replies=self.replies.get(key, 0),
            queued=self.queued.get(key),
            generated=self.generated.get(key),
            failed=self.failed.get(key, 0),
            asked_again=self.asked_again.get(key, 0),
        )
        return _with_health(status, getattr(revision, "health", None))


def _with_health(status: ModelStatus, health: ModelHealth | None) -> ModelStatus:
    if health is None or not health.is_open:
        return status
    return replace(status, is_broken=True, broken_because=health.reason, probe_at=health.probe_at)


def _ready_on(served: Iterable[ServedStatus]) -> Counts:
    ready: dict[int, int] = {}
    for status in served:
        if status.state == ServedModel.State.READY and not status.worker_is_silent:
            ready[status.revision_id] = ready.get(status.revision_id, 0) + 1
    return ready


def _of_open_studies() -> set[int]:
    arms = Arm.objects.filter(study__state=Study.State.OPEN).order_by()
    return set(arms.values_list("revision", flat=True).distinct())


def _live_talks() -> Counts:
    live = Conversation.objects.filter(state__in=Conversation.LIVE).order_by()
    return dict(live.values_list("arm__revision").annotate(Count("pk")))


def _owed() -> Mapping[int, tuple[int, datetime]]:
    """Replies that are still to be made, and when the oldest was asked for."""
    owed = Turn.objects.filter(state__in=Turn.OWED).order_by().values_list(OF_REVISION)
    return {
        revision: (count, oldest) for revision, count, oldest in owed.annotate(Count("pk"), Min("asked_at"))
    }


def _failed(since: datetime) -> Counts:
    """Replies that nobody could give."""
    failed = Turn.objects.filter(
        state=Turn.State.FAILED, ended_at__gte=since, conversation__state=Conversation.State.FAILED
    )
    return dict(failed.order_by().values_list(OF_REVISION).annotate(Count("pk")))


def _asked_again(since: datetime) -> Counts:
    """Turns that took more than one attempt, or that nobody took in time."""
    again = Turn.objects.filter(Q(attempt__gt=1) | Q(asked_again__gt=0), asked_at__gte=since)
    return dict(again.order_by().values_list(OF_REVISION).annotate(Count("pk")))


def _durations(field: str, since: datetime) -> tuple[Counts, Mapping[int, Durations]]:
    """How many replies each model gave since then, and the percentiles of one of their times.

    By nearest rank: of n sorted values the one in place ceil(n p / 100), so a percentile is a time that somebody
    waited. The database ranks, so that a busy site's replies need not come here.
    """
    ranked = recent_replies(since).annotate(
        revision=F(OF_REVISION),
        place=Window(RowNumber(), partition_by=OF_REVISION, order_by=field),
        of=Window(Count("pk"), partition_by=OF_REVISION),
    )
    at_p50, at_p95 = (Q(place=(F("of") * percent + 99) / 100) for percent in (50, 95))
    found: dict[int, list[int]] = {}
    counts: dict[int, int] = {}
    rows = ranked.filter(at_p50 | at_p95).order_by("place")
    for revision, of, value in rows.values_list("revision", "of", field):
        found.setdefault(revision, []).append(value)
        counts[revision] = of
    return counts, {revision: Durations(values[0], values[-1]) for revision, values in found.items()}


def recent_replies(since: datetime) -> QuerySet[Message]:
    """Models' messages since then whose times are known."""
    return Message.objects.filter(
        speaker=Message.Speaker.MODEL, created_at__gte=since, generated_ms__isnull=False
    ).order_by()
