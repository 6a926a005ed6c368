"""A study's rated talks out of the database as arrays, one entry a talk, read once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from django.db.models import Case, F, QuerySet, Sum, When
from numpy.typing import NDArray

from analysis.reading.query_columns import Ids, columns_of
from analysis.reading.ratings_frame import Population
from analysis.statistics.means import Integers
from chat.models import Conversation, Study
from modelhub.dialogue import Skill
from ratings.axes import Axis
from ratings.models import HIGHEST, Rating

DIGIT = HIGHEST + 1


@dataclass(frozen=True, slots=True)
class RatedTalks:
    """One entry a talk, in the order of their ids.

    ``context`` is the place of its context's data set in Skill, ``messages`` how many were said; ``score`` (T, A) has
    the axes in the order of Axis and is 0 where a talk lacks one.
    """

    talk: Ids
    worker: Ids
    arm: Integers
    context: Integers
    messages: Integers
    score: Integers


def complete_talks_of(study: Study, population: Population, *, with_excluded: bool) -> QuerySet[Conversation]:
    """The talks whose ratings count, or would if nobody were excluded."""
    complete = Conversation.objects.filter(
        arm__study=study,
        state=Conversation.State.COMPLETE,
        simulated=population is Population.SIMULATED,
    )
    return complete if with_excluded else complete.filter(participation__excluded_at=None)


def rated_talks(study: Study, population: Population, *, with_excluded: bool) -> RatedTalks:
    """Two queries: one for the talks, one that turns their ratings, four times as many, into a row a talk."""
    complete = complete_talks_of(study, population, with_excluded=with_excluded)
    source = Case(*(When(context__source=skill, then=code) for code, skill in enumerate(Skill)), default=-1)
    rows = complete.order_by().annotate(source=source)
    fields = ("pk", "participation__worker_id", "arm_id", "source", "last_position")
    columns = columns_of(rows.values_list(*fields), "uuiii")
    order = np.argsort(columns[0])
    talk, worker, arm, context, messages = (part[order] for part in columns)
    score = _scores(complete, talk)
    kept = score.any(axis=1)
    return RatedTalks(
        talk=talk[kept],
        worker=worker[kept],
        arm=arm[kept],
        context=context[kept],
        messages=messages[kept],
        score=score[kept],
    )


def _scores(talks: QuerySet[Conversation], names: Ids) -> Integers:
    """The ratings of these talks, (T, A); what was rated after the talks were read is left out.

    A talk's ratings come as one number with DIGIT values a place: one sum is a quarter less work than four maxima.
    """
    packed = Sum(Case(*(When(axis=axis, then=F("score") * DIGIT**place) for place, axis in enumerate(Axis))))
    rows = Rating.objects.filter(conversation__in=talks).values("conversation_id").annotate(packed=packed)
    talk, scores = columns_of(rows.order_by().values_list("conversation_id", "packed"), "ui")
    place, known = places_of(talk, names)
    found = np.zeros((len(names), len(Axis)), dtype=np.int64)
    found[place] = scores[known, None] // DIGIT ** np.arange(len(Axis)) % DIGIT
    return found


def places_of(names: Ids, among: Ids) -> tuple[Integers, NDArray[np.bool_]]:
    """Where the known ones of these names stand among sorted others, and which of them are known."""
    place = np.searchsorted(among, names)
    known = place < len(among)
    known[known] = among[place[known]] == names[known]
    return place[known], known
