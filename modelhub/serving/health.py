"""A model's circuit breaker: failures in a row open it, and while it is open no new talk begins with the model.

The talks under way go on; their turns are tried again and end with words and pay. After a pause, doubled with each
opening in a row, a worker that holds the model tries it with a dialogue of its own; success closes the breaker, so no
person is the probe. The rows are the truth; what a process keeps only saves it from asking.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import timedelta

from django.conf import settings
from django.db.models import F
from django.utils import timezone

from modelhub.errors import NoCandidateLeft
from modelhub.fresh import Fresh
from modelhub.models import ModelHealth
from modelhub.serving import roster

log = logging.getLogger(__name__)

FIRST_PAUSE = timedelta(seconds=30)
LONGEST_PAUSE = timedelta(minutes=10)
#: How long a process believes what it read.
FRESH_S = 1.0
#: Revisions that failed here since they last answered here.
_failed_here: set[int] = set()


def attempt_failed(revision_id: int, error: Exception) -> None:
    """Count it against the model, unless the talk itself has used up what the model can say."""
    if not isinstance(error, NoCandidateLeft):
        failed(revision_id, getattr(error, "code", type(error).__name__))


def failed(revision_id: int, reason: str) -> None:
    """An attempt to answer has failed; ``reason`` is for researchers and holds nobody's words."""
    _failed_here.add(revision_id)
    ModelHealth.objects.get_or_create(revision_id=revision_id)
    row = ModelHealth.objects.filter(pk=revision_id)
    row.update(failures=F("failures") + 1, reason=reason[:300])
    if opened := row.filter(is_open=False, failures__gte=settings.SERVING_BREAKER_FAILURES).first():
        _open(opened)


def _open(health: ModelHealth) -> None:
    now = timezone.now()
    opened = ModelHealth.objects.filter(pk=health.pk, is_open=False).update(
        is_open=True, openings=F("openings") + 1, opened_at=now, probe_at=now + pause(health.openings)
    )
    if opened:
        log.error("breaker opened", extra={"revision": health.pk, "failures": health.failures})
        forget()


def pause(openings: int) -> timedelta:
    """How long to wait before the next probe, after so many openings in a row before."""
    return min(FIRST_PAUSE * 2 ** min(openings, 10), LONGEST_PAUSE)


def succeeded(revision_id: int) -> None:
    """A reply was made; costs nothing unless the model failed in this process before."""
    if revision_id in _failed_here:
        _failed_here.discard(revision_id)
        ModelHealth.objects.filter(pk=revision_id, is_open=False).update(failures=0, openings=0)


def claim_probe(revision_id: int) -> bool:
    """Whether this worker is to try a sick model now: of several one is, and the next after another pause."""
    now = timezone.now()
    due = ModelHealth.objects.filter(pk=revision_id, is_open=True, probe_at__lte=now).first()
    if due is None:
        return False
    taken = ModelHealth.objects.filter(pk=revision_id, is_open=True, probe_at=due.probe_at).update(
        probe_at=now + pause(due.openings)
    )
    return bool(taken)


def probe_failed(revision_id: int, reason: str) -> None:
    """The breaker stays open, and the pause after the next probe is longer."""
    ModelHealth.objects.filter(pk=revision_id, is_open=True).update(
        openings=F("openings") + 1, reason=reason[:300]
    )


def close(revision_id: int) -> None:
    """The model answers again, for a probe or after it was loaded anew.

    ``openings`` stays until a person's turn was answered, so that a model which only probes well pauses longer.
    """
    closed = ModelHealth.objects.filter(pk=revision_id, is_open=True).update(is_open=False, failures=0)
    if closed:
        _failed_here.add(revision_id)
        log.warning("breaker closed", extra={"revision": revision_id})
        forget()


def unavailable() -> Mapping[int, str]:
    """Revisions that get no new talk now, each with the reason in words; two queries a second at most."""
    return _unavailable()


def _read_unavailable() -> Mapping[int, str]:
    refused = {
        revision_id: standing.words
        for revision_id, standing in roster.standings().items()
        if standing.is_refused
    }
    sick = ModelHealth.objects.filter(is_open=True).values_list("revision_id", "reason")
    return refused | {revision_id: f"paused after failures: {reason}" for revision_id, reason in sick}


_unavailable = Fresh(_read_unavailable, FRESH_S)


def forget() -> None:
    """Read anew next time."""
    _unavailable.forget()
