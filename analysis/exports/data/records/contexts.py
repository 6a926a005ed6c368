"""The seed contexts of a study, also those with which no talk began."""

from __future__ import annotations

from collections.abc import Iterator

from analysis.exports.data.records.conversations import FIELDS as OF_TALKS
from analysis.exports.data.records.conversations import context_record
from analysis.exports.data.records.kind import Kind
from analysis.exports.data.schema import Record
from analysis.exports.data.source import ROWS_AT_ONCE, Source

_NAMES = (
    *("context", "source", "topic", "situation"),
    *("worker_persona", "model_persona", "worker_seed", "model_seed"),
)
FIELDS = tuple(field for field in OF_TALKS if field.name in _NAMES)


def read(source: Source) -> Iterator[Record]:
    rows = source.study.contexts.order_by("ordinal")
    yield from map(context_record, rows.iterator(chunk_size=ROWS_AT_ONCE))


CONTEXTS = Kind(
    name="contexts",
    about="What talks begin with: seed utterances, personas, topics and situations.",
    fields=FIELDS,
    read=read,
    key="context",
)
