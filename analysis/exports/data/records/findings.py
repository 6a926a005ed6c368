"""What quality rules found, standing or cleared."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from analysis.exports.data.records.kind import Kind
from analysis.exports.data.records.others import Others
from analysis.exports.data.schema import Field, Record, Type, moment
from analysis.exports.data.source import ROWS_AT_ONCE, Source
from ratings.models import Finding

PLACE = (
    Field("conversation", Type.TEXT, "The talk."),
    Field("position", Type.WHOLE, "The message's place in it; null for a rating.", optional=True),
    Field("axis", Type.TEXT, "The rating's axis; null for a message.", optional=True),
)
FIELDS = (
    Field("finding", Type.TEXT, "The finding."),
    Field("worker", Type.TEXT, "Whom the rule flags."),
    Field(
        "conversation", Type.TEXT, "The talk, where the rule flags a talk and not its worker.", optional=True
    ),
    Field("rule", Type.TEXT, "The rule's name."),
    Field("rule_version", Type.WHOLE, "Grows when a rule computes something else."),
    Field("policy_version", Type.WHOLE, "The policy by which it was judged."),
    Field("threshold", Type.NUMBER, "What the policy asked."),
    Field("numbers", Type.JSON, "What was counted."),
    Field("places", Type.ROWS, "The very messages and ratings.", fields=PLACE),
    Field(
        "null_probability",
        Type.NUMBER,
        "How likely an honest worker would be flagged, if known.",
        optional=True,
    ),
    Field("found_at", Type.TIME, "When it was found."),
    Field("cleared_at", Type.TIME, "Since when it does not hold any more.", optional=True),
)


def read(source: Source) -> Iterator[Record]:
    """In the order in which they were found; about excluded workers too."""
    others = Others(source)
    rows = Finding.objects.filter(
        participation__study=source.study, participation__worker__simulated=source.simulated
    )
    for finding in (
        rows.select_related("participation", "policy").order_by("pk").iterator(chunk_size=ROWS_AT_ONCE)
    ):
        yield _record(source, finding, others)


def _record(source: Source, finding: Finding, others: Others) -> Record:
    talk = finding.conversation_id
    return {
        "finding": source.names.serial("finding", finding.pk),
        "worker": source.names.of(finding.participation.worker_id),
        "conversation": source.names.of(talk) if talk else None,
        "rule": finding.rule,
        "rule_version": finding.rule_version,
        "policy_version": finding.policy.version,
        "threshold": finding.threshold,
        "numbers": others.numbers(finding.numbers),
        "places": [_place(source, *place) for place in finding.places],
        "null_probability": finding.null_probability,
        "found_at": moment(finding.found_at),
        "cleared_at": moment(finding.cleared_at),
    }


def _place(source: Source, talk: str, position: int | None, axis: Any) -> Record:
    return {"conversation": source.names.within(talk), "position": position, "axis": axis or None}


FINDINGS = Kind(
    name="findings",
    about="What quality rules found about workers and talks, with the very messages and ratings.",
    fields=FIELDS,
    read=read,
    key="finding",
)
