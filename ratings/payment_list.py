"""Everybody of a study who is to be paid, as a file for whoever pays: matched with a provider's list by the code."""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

from chat.models import Participation, Study
from chat.participation import codes_of, to_be_paid
from ratings.models import Decision
from ratings.payment import ACTS, Pay, Standing, standing
from ratings.spreadsheet import safe

COLUMNS = (
    *("study", "worker", "completion_code", "pay", "reason", "text", "decided_at", "by", "asked_by"),
    *("bonus", "currency", "bonus_text"),
)


@dataclass(frozen=True, slots=True)
class Line:
    """A person with their code, and how their pay stands."""

    participation: Participation
    code: str
    standing: Standing


def lines(study: Study) -> list[Line]:
    """Everybody who has a code, in the order in which they came; two queries."""
    people = list(to_be_paid(study))
    codes = codes_of(people)
    made: dict[UUID, list[Decision]] = defaultdict(list)
    for decision in Decision.objects.filter(study=study, act__in=ACTS, participation__isnull=False):
        if decision.participation_id:
            made[decision.participation_id].append(decision)
    return [Line(each, codes[each.pk], standing(made[each.pk])) for each in people]


def as_csv(study: Study) -> str:
    """A line a person. ``text`` is what a rejected person reads; bonuses are added up, their texts put together."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    writer.writerows(list(_cells(study, line)) for line in lines(study))
    return text.getvalue()


def _cells(study: Study, line: Line) -> Iterator[object]:
    now = line.standing
    yield from (safe(study.slug), line.participation.worker_id, line.code, now.pay)
    if now.last is None:
        yield from ("", "", "", "", "")
    else:
        reads = now.asked.note if now.asked and now.pay is Pay.REJECTED else now.last.note
        yield from (now.last.reason, safe(reads), now.last.at.isoformat(), safe(now.last.actor))
        yield safe(now.asked.actor) if now.asked else ""
    yield now.bonus_total if now.bonuses else ""
    yield now.bonuses[0].currency if now.bonuses else ""
    yield safe(" / ".join(each.text for each in now.bonuses))
