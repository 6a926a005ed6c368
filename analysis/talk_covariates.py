"""What the database knows of talks beside their ratings: context, turns, and how fast the model answered."""

from __future__ import annotations

import numpy as np
from django.db.models import Count, F, Sum
from django.db.models.functions import Coalesce

from analysis.frames import Reading
from analysis.query_columns import columns_of
from analysis.rated_talks import complete_talks_of, places_of
from analysis.statistics.covariates import Factor, Number, doublings
from analysis.statistics.means import Floats
from chat.models import Message, Study
from modelhub.dialogue import Skill

#: From the worker's message to the reply on the page, in milliseconds.
REPLY_MS = F("queued_ms") + F("generated_ms") + Coalesce("held_ms", 0)


def talk_covariates(study: Study, reading: Reading) -> tuple[Factor | Number, ...]:
    """One entry for each rating of the frame; one query, for the times.

    The context's data set, the worker's turns, and the talk's mean time to a reply as doublings.
    """
    talks, of_rating = reading.talks, reading.frame.talk
    seconds = _reply_seconds(study, reading)
    return (
        Factor("context", tuple(skill.value for skill in Skill), talks.context[of_rating]),
        Number("turns", "one more", ((talks.messages + 1) // 2).astype(float)[of_rating]),
        Number("reply time", "twice as long", doublings(seconds)[of_rating]),
    )


def _reply_seconds(study: Study, reading: Reading) -> Floats:
    """The mean time to a reply of each of the reading's talks; NaN where the model said nothing."""
    complete = complete_talks_of(study, reading.frame.population, with_excluded=True)
    rows = (
        Message.objects.filter(speaker=Message.Speaker.MODEL, conversation__in=complete)
        .values("conversation_id")
        .annotate(total=Sum(REPLY_MS), replies=Count(REPLY_MS))
        .values_list("conversation_id", "total", "replies")
    )
    talk, total, replies = columns_of(rows.order_by(), "ufi")
    place, known = places_of(talk, reading.talks.talk)
    found = np.full(len(reading.talks.talk), np.nan)
    with np.errstate(invalid="ignore"):
        found[place] = (total / replies)[known] / 1000
    return found
