"""What the database knows of talks beside their ratings: context, turns, and how fast the model answered."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from django.db.models import Count, F, Sum
from django.db.models.functions import Coalesce

from analysis.reading.frames import Reading
from analysis.reading.query_columns import Ids, columns_of
from analysis.reading.rated_talks import complete_talks_of, places_of
from analysis.reading.ratings_frame import Population
from analysis.statistics.covariates import Factor, Number, doublings
from analysis.statistics.means import Floats, Integers
from chat.models import Message, Study
from modelhub.dialogue import Skill

#: From the worker's message to the reply on the page, in milliseconds.
REPLY_MS = F("queued_ms") + F("generated_ms") + Coalesce("held_ms", 0)


@dataclass(frozen=True, slots=True)
class ReplyTimes:
    """One entry a talk in which the model replied: the sum of its times in milliseconds, and their number."""

    talk: Ids
    total: Floats
    replies: Integers


def talk_covariates(reading: Reading, times: ReplyTimes) -> tuple[Factor | Number, ...]:
    """One entry for each rating of the frame.

    The context's data set, the worker's turns, and the talk's mean time to a reply as doublings.
    """
    talks, of_rating = reading.talks, reading.frame.talk
    seconds = _reply_seconds(reading, times)
    return (
        Factor("context", tuple(skill.value for skill in Skill), talks.context[of_rating]),
        Number("turns", "one more", ((talks.messages + 1) // 2).astype(float)[of_rating]),
        Number("reply time", "twice as long", doublings(seconds)[of_rating]),
    )


def reply_times(study: Study, population: Population) -> ReplyTimes:
    """Of all complete talks of a population; one query."""
    complete = complete_talks_of(study, population, with_excluded=True)
    rows = (
        Message.objects.filter(speaker=Message.Speaker.MODEL, conversation__in=complete)
        .values("conversation_id")
        .annotate(total=Sum(REPLY_MS), replies=Count(REPLY_MS))
        .values_list("conversation_id", "total", "replies")
    )
    return ReplyTimes(*columns_of(rows.order_by(), "ufi"))


def _reply_seconds(reading: Reading, times: ReplyTimes) -> Floats:
    """The mean time to a reply of each of the reading's talks; NaN where the model said nothing."""
    place, known = places_of(times.talk, reading.talks.talk)
    found = np.full(len(reading.talks.talk), np.nan)
    with np.errstate(invalid="ignore"):
        found[place] = (times.total / times.replies)[known] / 1000
    return found
