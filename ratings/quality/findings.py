"""Findings as they are stored: what still holds is kept up to date, what does not is cleared, none is deleted."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from ratings.models import Finding, Policy
from ratings.quality.evidence import Flag, Place
from ratings.quality.policy import Setting

Key = tuple[UUID, str, UUID | None]
AT_ONCE = 500
UPDATED = ("rule_version", "policy", "threshold", "numbers", "places", "null_probability")


def store(
    policy: Policy,
    settings: Mapping[str, Setting],
    flags: Mapping[UUID, Sequence[Flag]],
    *,
    rules: Iterable[str],
    among: Q | None = None,
) -> None:
    """Make the standing findings of these workers under ``rules`` what ``flags`` says; four statements at most.

    ``flags`` has an entry for every worker who was judged, empty where nothing was found. ``among`` says which findings
    may be theirs, where so many are judged that their names are too long a list.
    """
    now = timezone.now()
    wanted = {
        (worker, flag.rule, flag.talk): (flag, settings[flag.rule])
        for worker, found in flags.items()
        for flag in found
    }
    with transaction.atomic():
        standing = _standing(flags, list(rules), among or Q(participation_id__in=list(flags)))
        gone = [finding.pk for key, finding in standing.items() if key not in wanted]
        for start in range(0, len(gone), AT_ONCE):
            Finding.objects.filter(pk__in=gone[start : start + AT_ONCE]).update(cleared_at=now)
        kept = [
            _filled(finding, policy, *wanted[key], now) for key, finding in standing.items() if key in wanted
        ]
        Finding.objects.bulk_update(kept, UPDATED, batch_size=AT_ONCE)
        new = [key for key in wanted if key not in standing]
        Finding.objects.bulk_create(
            [_filled(Finding(found_at=now), policy, *wanted[key], now, worker=key[0]) for key in new],
            batch_size=AT_ONCE,
            ignore_conflicts=True,
        )


def _standing(judged: Container[UUID], rules: Sequence[str], among: Q) -> dict[Key, Finding]:
    found = Finding.objects.filter(among, rule__in=rules, cleared_at=None).order_by()
    return {
        (each.participation_id, each.rule, each.conversation_id): each
        for each in found
        if each.participation_id in judged
    }


def _filled(
    finding: Finding, policy: Policy, flag: Flag, setting: Setting, now: datetime, worker: UUID | None = None
) -> Finding:
    if worker:
        finding.participation_id = worker
        finding.conversation_id = flag.talk
    finding.rule = flag.rule
    finding.rule_version = setting.rule.version
    finding.policy = policy
    finding.threshold = setting.threshold
    finding.numbers = dict(flag.numbers)
    finding.places = [_place(place) for place in flag.places]
    finding.null_probability = flag.null_probability
    return finding


def _place(place: Place) -> list[str | int | None]:
    return [str(place.talk), place.position, place.axis]
