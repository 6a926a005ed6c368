"""What people decided about workers and policies."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.db.models import Q

from analysis.exports.data.records.kind import Kind
from analysis.exports.data.records.others import Others
from analysis.exports.data.schema import Field, Record, Type, moment
from analysis.exports.data.source import ROWS_AT_ONCE, Source
from ratings.models import Decision

FIELDS = (
    Field("decision", Type.TEXT, "The decision."),
    Field(
        "act",
        Type.TEXT,
        "`declare` (a policy), `plan` (adopted or withdrawn), `stop` (by a look of the plan); about a worker "
        "`exclude`, `restore`, or about pay `approve`, `reject`, `confirm`, `bonus`.",
    ),
    Field("worker", Type.TEXT, "Whom it is about; null for a policy or a plan.", optional=True),
    Field("reason", Type.TEXT, "Why, as a word of a list."),
    Field("note", Type.TEXT, "Why, in free words; in identified exports alone.", optional=True),
    Field("actor", Type.TEXT, "Who decided."),
    Field("policy_version", Type.WHOLE, "The policy in force.", optional=True),
    Field("details", Type.JSON, "What it rested on and what it changed."),
    Field("at", Type.TIME, "When."),
)


def read(source: Source) -> Iterator[Record]:
    """In the order in which they were made; those about policies stand in the exports of either population."""
    about = Q(participation=None) | Q(participation__worker__simulated=source.simulated)
    others = Others(source)
    rows = Decision.objects.filter(about, study=source.study).select_related("participation", "policy")
    for decision in rows.order_by("pk").iterator(chunk_size=ROWS_AT_ONCE):
        yield _record(source, decision, others)


def _record(source: Source, decision: Decision, others: Others) -> Record:
    person = decision.participation
    return {
        "decision": source.names.serial("decision", decision.pk),
        "act": decision.act,
        "worker": source.names.of(person.worker_id) if person else None,
        "reason": decision.reason,
        "note": source.names.note(decision.note),
        "actor": source.names.actor(decision.actor),
        "policy_version": decision.policy.version if decision.policy else None,
        "details": _details(source, decision.details, others),
        "at": moment(decision.at),
    }


def _details(source: Source, details: dict[str, Any], others: Others) -> dict[str, Any]:
    """With the findings called as among the findings."""
    told: dict[str, Any] = source.names.within(details)
    if "findings" in details:
        told["findings"] = [
            {
                **each,
                "finding": source.names.serial("finding", each["finding"]),
                "numbers": others.numbers(each["numbers"]),
            }
            for each in details["findings"]
        ]
    return told


DECISIONS = Kind(
    name="decisions",
    about="Policies that were declared, plans that were adopted, workers who were excluded, brought back, paid or "
    "rejected, and why.",
    fields=FIELDS,
    read=read,
    key="decision",
)
