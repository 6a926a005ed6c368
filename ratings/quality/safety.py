"""The safety classifier's look at what workers wrote, stored a message; made on a serving worker, in batches."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from uuid import UUID

from django.db.models import Q, QuerySet

from chat.models import Conversation, Message
from modelhub.errors import ModelhubError
from modelhub.safety.classifier import Classifier, classifier
from ratings.models import SafetyScore

logger = logging.getLogger(__name__)

AT_ONCE = 512


def look_at(participations: Sequence[UUID], on_progress: Callable[[int], None] = lambda done: None) -> int:
    """Score the messages of these workers' finished talks that the present classifier has not seen; their number.

    Each batch is stored at once, so that what is interrupted goes on. Raises ModelhubError without a classifier.
    """
    found, done = classifier(), 0
    unseen = _unseen(participations, found.version)
    while batch := list(unseen[:AT_ONCE]):
        _store(batch, found)
        done += len(batch)
        on_progress(done)
    return done


def try_to_look_at(participations: Sequence[UUID]) -> int:
    """The same, but a classifier that cannot be loaded is only told of: all other rules can be asked without it."""
    try:
        return look_at(participations)
    except ModelhubError as error:
        logger.error("the safety classifier cannot be used", extra={"why": str(error)})
        return 0


def _unseen(participations: Sequence[UUID], version: str) -> QuerySet[Message, tuple[int, str]]:
    seen = Q(safety__classifier=version)
    return (
        Message.objects.filter(
            speaker=Message.Speaker.WORKER,
            conversation__participation_id__in=participations,
            conversation__state=Conversation.State.COMPLETE,
        )
        .exclude(seen)
        .order_by("pk")
        .values_list("pk", "text")
    )


def _store(batch: Sequence[tuple[int, str]], found: Classifier) -> None:
    probabilities = found.unsafe_probabilities([text for _, text in batch])
    SafetyScore.objects.bulk_create(
        [
            SafetyScore(message_id=pk, probability=min(max(float(p), 0.0), 1.0), classifier=found.version)
            for (pk, _), p in zip(batch, probabilities, strict=True)
        ],
        update_conflicts=True,
        unique_fields=["message"],
        update_fields=["probability", "classifier"],
    )
