"""What the database knows of talks beside their ratings: context, turns, and how fast the model answered."""

from __future__ import annotations

import numpy as np
from django.db.models import Avg, F, FloatField, TextField
from django.db.models.functions import Cast, Coalesce

from analysis.frames import Reading
from analysis.rated_talks import columns_of, complete_talks_of
from analysis.statistics.covariates import Factor, Number, doublings
from analysis.statistics.means import Floats
from chat.models import Message, Study
from modelhub.dialogue import Skill

#: From the worker's message to the reply on the page, in milliseconds.
REPLY_MS = Cast(F("queued_ms") + F("generated_ms") + Coalesce("held_ms", 0), FloatField())


def talk_covariates(study: Study, reading: Reading) -> tuple[Factor | Number, ...]:
    """One entry for each rating of the frame; one query, for the times.

    The context's data set, the worker's turns, and the talk's mean time to a reply as doublings.
    """
    talks, of_rating = reading.talks, reading.frame.talk
    levels = tuple(skill.value for skill in Skill)
    context = np.full(len(talks.talk), -1)
    for code, level in enumerate(levels):
        context[talks.context == level.encode()] = code
    seconds = _reply_seconds(study, reading)
    return (
        Factor("context", levels, context[of_rating]),
        Number("turns", "one more", ((talks.messages + 1) // 2).astype(float)[of_rating]),
        Number("reply time", "twice as long", doublings(seconds)[of_rating]),
    )


def _reply_seconds(study: Study, reading: Reading) -> Floats:
    """The mean time to a reply of each of the reading's talks; NaN where the model said nothing."""
    complete = complete_talks_of(study, reading.frame.population, with_excluded=True)
    rows = (
        Message.objects.filter(speaker=Message.Speaker.MODEL, conversation__in=complete)
        .values("conversation_id")
        .annotate(talk=Cast("conversation_id", TextField()), reply_ms=Avg(REPLY_MS))
        .values_list("talk", "reply_ms")
    )
    talk, milliseconds = columns_of(rows.order_by(), "Sf")
    held = reading.talks.talk
    if not len(held):
        return np.empty(0)
    place = np.minimum(np.searchsorted(held, talk), len(held) - 1)
    known = held[place] == talk
    found = np.full(len(held), np.nan)
    found[place[known]] = milliseconds[known] / 1000
    return found
