"""A study's rated talks out of the database as arrays, one row a talk, read once and in pieces."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from django.db import connection
from django.db.models import Max, Q, QuerySet, TextField
from django.db.models.functions import Cast, Coalesce
from numpy.typing import NDArray

from analysis.ratings_frame import Population
from analysis.statistics.means import Integers
from chat.models import Conversation, Study
from ratings.axes import Axis

#: Rows that are Python's values together; bounds the memory that reading takes.
ROWS_AT_ONCE = 20_000

Texts = NDArray[np.bytes_]


@dataclass(frozen=True, slots=True)
class RatedTalks:
    """One entry a talk, in the order of their ids: ids and workers as text, how many messages were said.

    ``score`` (T, A) has the axes in the order of Axis and is 0 where a talk lacks one.
    """

    talk: Texts
    worker: Texts
    arm: Integers
    context: Texts
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
    """One query, whose rows are talks: a rating a row would be four times as many."""
    scores = {
        f"rated_{axis}": Coalesce(Max("ratings__score", filter=Q(ratings__axis=axis)), 0) for axis in Axis
    }
    rows = (
        complete_talks_of(study, population, with_excluded=with_excluded)
        .annotate(
            talk=Cast("pk", TextField()), worker=Cast("participation__worker_id", TextField()), **scores
        )
        .values_list("talk", "worker", "arm_id", "context__source", "last_position", *scores)
    )
    talk, worker, arm, context, messages, *rated = columns_of(
        rows.order_by("pk"), "SSiSi" + "i" * len(scores)
    )
    score = np.stack(rated, axis=1)
    kept = score.any(axis=1)
    return RatedTalks(*(part[kept] for part in (talk, worker, arm, context, messages, score)))


def columns_of(rows: QuerySet[Any, Any], kinds: Sequence[str]) -> list[NDArray[Any]]:
    """The columns of a query as arrays of these kinds: ``S`` text, ``i`` whole numbers, ``f`` numbers, null as NaN.

    Django's own way makes an object of each field; this takes what the database's driver gives.
    """
    dtypes = [np.dtype({"S": "S", "i": np.int64, "f": np.float64}[kind]) for kind in kinds]
    pieces: list[list[NDArray[Any]]] = [[] for _ in dtypes]
    for block in _blocks(rows):
        for values, dtype, held in zip(zip(*block, strict=True), dtypes, pieces, strict=True):
            held.append(np.array(values, dtype=dtype))
    return [
        np.concatenate(held) if held else np.empty(0, dtype)
        for held, dtype in zip(pieces, dtypes, strict=True)
    ]


def _blocks(rows: QuerySet[Any, Any]) -> Iterator[list[tuple[Any, ...]]]:
    sql, given = rows.query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(sql, given)
        while block := cursor.fetchmany(ROWS_AT_ONCE):
            yield block
