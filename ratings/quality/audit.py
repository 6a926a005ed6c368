"""All decisions of a study: for its page, and as a file to keep."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable

from django.db.models import QuerySet

from chat.models import Study
from ratings.models import Decision
from ratings.spreadsheet import safe

COLUMNS = (
    "study",
    "at",
    "act",
    "worker",
    "population",
    "reason",
    "note",
    "actor",
    "policy_version",
    "details",
)


def decisions_of(study: Study) -> QuerySet[Decision]:
    """Newest first, each with its worker and policy; one query."""
    return study.decisions.select_related("participation__worker", "policy")


def as_csv(study: Study, decisions: Iterable[Decision]) -> str:
    """A line a decision. ``details`` is JSON: the findings that stood then and what moved, or the rules before and
    after.
    """
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    writer.writerows(_line(study, decision) for decision in decisions)
    return text.getvalue()


def _line(study: Study, decision: Decision) -> list[object]:
    worker = decision.participation and decision.participation.worker
    return [
        safe(study.slug),
        decision.at.isoformat(),
        decision.act,
        worker.pk if worker else "",
        ("simulated" if worker.simulated else "people") if worker else "",
        decision.reason,
        safe(decision.note),
        safe(decision.actor),
        decision.policy.version if decision.policy else "",
        json.dumps(decision.details, ensure_ascii=False),
    ]
