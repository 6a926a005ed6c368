"""Exclude a worker, bring one back: what people decide, with a reason, and a row for each that nobody can change."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

from django.db import transaction

from chat import exclusion
from chat.models import Participation, Study
from ratings.errors import DecisionRefused
from ratings.models import Decision, Finding
from ratings.quality.catalogue import Act
from ratings.quality.policy import in_force, settings_of

logger = logging.getLogger(__name__)

#: Reasons that say why somebody comes back, and why somebody goes.
FOR_RESTORING = (Decision.Reason.MISTAKE, Decision.Reason.APPEAL, Decision.Reason.OTHER)
FOR_EXCLUDING = (
    Decision.Reason.POLICY,
    Decision.Reason.RATINGS,
    Decision.Reason.WRITING,
    Decision.Reason.UNSAFE,
    Decision.Reason.ACCOUNTS,
    Decision.Reason.GENERATED,
    Decision.Reason.OTHER,
)


def exclude(participation: Participation, *, reason: str, actor: str, note: str = "") -> Decision:
    """Take all of a worker's talks out of the study; their arms get the slots back.

    Raises DecisionRefused for a reason that is none, AlreadyExcluded.
    """
    check(reason, FOR_EXCLUDING, note)
    with transaction.atomic():
        moved = exclusion.take_out(participation.pk)
        return record(participation, Decision.Act.EXCLUDE, reason, note, actor, moved=asdict(moved))


def restore(participation: Participation, *, reason: str, actor: str, note: str = "") -> Decision:
    """Undo an exclusion: the worker's talks count again. Raises DecisionRefused, NotExcluded."""
    check(reason, FOR_RESTORING, note)
    with transaction.atomic():
        moved = exclusion.bring_back(participation.pk)
        return record(participation, Decision.Act.RESTORE, reason, note, actor, moved=asdict(moved))


def check(reason: str, known: Sequence[Decision.Reason], note: str) -> None:
    """Raises DecisionRefused for a reason that is none here, or is another one and not told."""
    if reason not in known:
        raise DecisionRefused(
            f"{reason or 'Nothing'!r} is no reason here; choose one of: {', '.join(known)}.", field="reason"
        )
    if reason == Decision.Reason.OTHER and not note.strip():
        raise DecisionRefused("Please say in a few words what the other reason is.", field="note")


def record(
    participation: Participation, act: Decision.Act, reason: str, note: str, actor: str, **details: Any
) -> Decision:
    """The decision, with the findings as they stand: what one could know when it was made."""
    study = participation.study
    decision = Decision.objects.create(
        study=study,
        participation=participation,
        act=act,
        reason=reason,
        note=note.strip()[:500],
        actor=actor[:150],
        policy=in_force(study),
        details={**details, "findings": [_snapshot(each) for each in _standing(participation)]},
    )
    logger.info(
        "decided", extra={"act": str(act), "participation": participation.pk, "decision": decision.pk}
    )
    return decision


def _standing(participation: Participation) -> Iterator[Finding]:
    yield from participation.findings.filter(cleared_at=None)


def _snapshot(finding: Finding) -> dict[str, Any]:
    return {
        "finding": finding.pk,
        "rule": finding.rule,
        "version": finding.rule_version,
        "threshold": finding.threshold,
        "numbers": finding.numbers,
        "null_probability": finding.null_probability,
    }


def due_for_exclusion(study: Study, *, simulated: bool) -> list[Participation]:
    """Workers whom a rule flags that excludes by the policy in force, and who are not excluded."""
    excluding = [name for name, each in settings_of(in_force(study)).items() if each.act is Act.EXCLUDE]
    flagged = Finding.objects.filter(rule__in=excluding, cleared_at=None).values("participation_id")
    return list(
        Participation.objects.filter(
            study=study, excluded_at=None, worker__simulated=simulated, pk__in=flagged
        )
        .select_related("study", "worker")
        .order_by("created_at", "pk")
    )


def carry_out(study: Study, *, simulated: bool, actor: str, note: str = "") -> list[Decision]:
    """Exclude everybody whom the policy in force names; one decision each, so that each can be undone."""
    return [
        exclude(each, reason=Decision.Reason.POLICY, actor=actor, note=note)
        for each in due_for_exclusion(study, simulated=simulated)
    ]
