"""What the database knows of talks beside their ratings: context, turns, and how fast the model answered."""

from __future__ import annotations

from typing import Any

import numpy as np
from django.db.models import Avg, F, FloatField, Q
from django.db.models.functions import Cast, Coalesce

from analysis.ratings_frame import Name, RatingsFrame
from analysis.statistics.covariates import Factor, Number, doublings
from chat.models import Conversation, Message, Study
from modelhub.dialogue import Skill

#: From the worker's message to the reply on the page, in milliseconds.
REPLY_MS = Cast(
    F("messages__queued_ms") + F("messages__generated_ms") + Coalesce("messages__held_ms", 0), FloatField()
)


def talk_covariates(study: Study, frame: RatingsFrame) -> tuple[Factor | Number, ...]:
    """One entry for each rating of the frame; one query.

    The context's data set, the worker's turns, and the talk's mean time to a reply as doublings.
    """
    talks = (
        Conversation.objects.filter(arm__study=study, state=Conversation.State.COMPLETE)
        .annotate(reply_ms=Avg(REPLY_MS, filter=Q(messages__speaker=Message.Speaker.MODEL)))
        .values_list("pk", "context__source", "last_position", "reply_ms")
    )
    known: dict[Name, list[Any]] = {talk: rest for talk, *rest in talks.iterator()}
    levels = tuple(skill.value for skill in Skill)
    rows = [known[talk] for talk in frame.talk_ids]
    context = np.array([levels.index(source) for source, _, _ in rows], dtype=np.int64)
    turns = np.array([(position + 1) // 2 for _, position, _ in rows], dtype=float)
    seconds = np.array([np.nan if ms is None else ms / 1000 for _, _, ms in rows])
    return (
        Factor("context", levels, context[frame.talk]),
        Number("turns", "one more", turns[frame.talk]),
        Number("reply time", "twice as long", doublings(seconds)[frame.talk]),
    )
