"""How many replies each model owes: what assignment and the writers of messages ask before they add to it."""

from __future__ import annotations

from collections.abc import Mapping

from django.conf import settings
from django.db.models import Count

from chat.models import Turn
from modelhub.fresh import Fresh

#: A process asks the database at most this often.
FRESH_S = 1.0


def owed() -> Mapping[int, int]:
    """Turns that are asked or running, by the id of the revision that owes them; at most FRESH_S old.

    Revisions that owe none are not in it. One query, when the last answer is no longer fresh.
    """
    return _counts()


def is_full(revision_id: int) -> bool:
    """Whether a model owes MODEL_QUEUE_LIMIT replies, so that another one would come too late."""
    return owed().get(revision_id, 0) >= settings.MODEL_QUEUE_LIMIT


def forget() -> None:
    """Ask the database anew next time."""
    _counts.forget()


def _owed() -> Mapping[int, int]:
    of_revision = "conversation__arm__revision"
    waiting = Turn.objects.filter(state__in=Turn.OWED).order_by().values_list(of_revision)
    return dict(waiting.annotate(Count("pk")))


_counts = Fresh(_owed, FRESH_S)
