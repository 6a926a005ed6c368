"""What a study's quality rules asked, version by version."""

from __future__ import annotations

from collections.abc import Iterator

from analysis.exports.data.records.kind import Kind
from analysis.exports.data.schema import Field, Record, Type, moment
from analysis.exports.data.source import Source

FIELDS = (
    Field("version", Type.WHOLE, "The policy's number, from 1; the highest holds."),
    Field("rules", Type.JSON, "By a rule's name, its act and threshold."),
    Field("after_talks", Type.WHOLE, "How many talks had begun when it was declared; 0 is before any."),
    Field("declared_by", Type.TEXT, "Who declared it."),
    Field("declared_at", Type.TIME, "When."),
)


def read(source: Source) -> Iterator[Record]:
    for policy in source.study.policies.order_by("version"):
        yield {
            "version": policy.version,
            "rules": policy.rules,
            "after_talks": policy.after_talks,
            "declared_by": source.names.actor(policy.declared_by),
            "declared_at": moment(policy.declared_at),
        }


POLICIES = Kind(
    name="policies",
    about="What the study's quality rules ask and what follows from a flag, in every version.",
    fields=FIELDS,
    read=read,
    key="version",
)
