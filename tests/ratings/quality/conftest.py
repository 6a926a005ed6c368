"""A study in which people said and rated what a test wants them to."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta

import pytest
from django.utils import timezone

from chat.models import Conversation, Message, Participation, Study
from ratings.axes import Axis
from ratings.models import Rating

LINES = [
    "I spent the morning in the garden again.",
    "We grow beans, and too many courgettes.",
    "Do you cook much yourself?",
    "My brother sends me recipes I never try.",
]


@pytest.fixture
def worked(
    make_study: Callable[..., Study], join: Callable[..., Participation]
) -> Callable[..., Participation]:
    """``worked(talks=[[...]], scores=[...])``: somebody new who had these talks, in a study of two models."""
    study = make_study(arms=2, min_turns=1, max_turns=20, target=50, conversations_per_worker=50)

    def make(
        talks: Sequence[Sequence[str]] = (LINES,),
        scores: Sequence[Sequence[int]] = ((4, 3, 2, 4),),
        heard: str = "That sounds nice.",
        simulated_as: str = "",
    ) -> Participation:
        person = join(study, simulated_as=simulated_as)
        for ordinal, said in enumerate(talks, start=1):
            finished(person, ordinal, said, scores[(ordinal - 1) % len(scores)], heard)
        return person

    return make


def finished(
    person: Participation, ordinal: int, said: Sequence[str], scores: Sequence[int], heard: str
) -> None:
    """One finished talk, stored with its slot taken."""
    arms = list(person.study.arms.order_by("position"))
    arm = arms[ordinal % len(arms)]
    now = timezone.now()
    talk = Conversation.objects.create(
        participation=person,
        arm=arm,
        context=person.study.contexts.first(),
        ordinal=ordinal,
        simulated=person.worker.simulated,
        state=Conversation.State.COMPLETE,
        last_activity_at=now,
        ended_at=now + timedelta(minutes=5),
    )
    field = "simulated_taken" if talk.simulated else "taken"
    setattr(arm, field, getattr(arm, field) + 1)
    arm.save(update_fields=[field])
    pairs = [(text, heard) for text in said]
    Message.objects.bulk_create(
        Message(conversation=talk, position=2 * n + 1 + side, speaker=("worker", "model")[side], text=text)
        for n, pair in enumerate(pairs)
        for side, text in enumerate(pair)
    )
    Rating.objects.bulk_create(
        Rating(conversation=talk, axis=axis, score=score) for axis, score in zip(Axis, scores, strict=True)
    )
