"""Ratings, one a record."""

from __future__ import annotations

from collections.abc import Iterator

from analysis.exports.data.records.arms import arms_by_id
from analysis.exports.data.records.kind import Kind
from analysis.exports.data.schema import Field, Record, Type, moment
from analysis.exports.data.source import ROWS_AT_ONCE, Source
from ratings.models import Rating

FIELDS = (
    Field("conversation", Type.TEXT, "The talk."),
    Field("worker", Type.TEXT, "Who rated."),
    Field("model", Type.TEXT, "The model, as slug@revision."),
    Field("model_name", Type.TEXT, "Its name in Table 7."),
    Field("arm", Type.WHOLE, "Its row in Table 7, from 1."),
    Field("axis", Type.TEXT, "`knowledge`, `empathy`, `personal` or `overall`."),
    Field("score", Type.WHOLE, "The answer, 1 to 5."),
    Field("state", Type.TEXT, "The talk's state; ratings of `complete` talks count."),
    Field("excluded", Type.FLAG, "Whether the worker is excluded, so that the rating does not count."),
    Field("at", Type.TIME, "When it was stored."),
)


def read(source: Source) -> Iterator[Record]:
    """In the order in which Table 7 reads them, that of the talks' internal ids and the axes' names."""
    arms = arms_by_id(source.study)
    for ids in source.talks_by_batch():
        rows = (
            Rating.objects.filter(conversation_id__in=ids)
            .order_by("conversation_id", "axis")
            .values_list(
                *("conversation_id", "conversation__participation__worker_id", "conversation__arm_id"),
                *(
                    "axis",
                    "score",
                    "conversation__state",
                    "conversation__participation__excluded_at",
                    "created_at",
                ),
            )
        )
        for talk, worker, arm, axis, score, state, excluded_at, at in rows.iterator(chunk_size=ROWS_AT_ONCE):
            yield {
                "conversation": source.names.of(talk),
                "worker": source.names.of(worker),
                "model": arms[arm].reference,
                "model_name": arms[arm].label,
                "arm": arms[arm].position,
                "axis": axis,
                "score": score,
                "state": state,
                "excluded": excluded_at is not None,
                "at": moment(at),
            }


RATINGS = Kind(
    name="ratings", about="What workers said about talks: one answer a record.", fields=FIELDS, read=read
)
