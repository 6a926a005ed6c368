"""Keyed traces of accounts: whether two people of a study sat at one device or in one network, for a while.

Neither a device's mark nor an address is stored: only HMAC-SHA256 of them, under a key of the study's own that is
derived from the site's. So traces of two studies cannot be compared, and without the key tell nothing. They are
reasons to look at a talk, never proof: households, offices and telephone networks share addresses.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from uuid import UUID

from django.conf import settings
from django.db.models import Count
from django.utils import timezone
from django.utils.crypto import salted_hmac

from chat.models import AccountTrace, Participation, Study

logger = logging.getLogger(__name__)

SALT = "chat.account_trace"
#: Rows that one statement deletes, so that it holds SQLite's one lock for a moment only.
FORGOTTEN_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Facts:
    """What a request tells of where it came from: the mark of a device, a network's prefix; empty when not known."""

    device: str = ""
    network: str = ""


@dataclass(frozen=True, slots=True)
class Shared:
    """Participations that left the same trace, in the order in which they left it; two at least."""

    kind: AccountTrace.Kind
    participations: tuple[UUID, ...]


def remember(participation: Participation, facts: Facts) -> bool:
    """Keep traces for ACCOUNT_TRACE_DAYS; those that are there already stay as they are.

    One statement, and a query each where the participation's study or worker was not read yet.

    False, and nothing is kept, of simulated workers, of people who have not agreed to take part, and where the study
    keeps no paradata.
    """
    if not _may_be_kept(participation):
        return False
    kinds = {AccountTrace.Kind.DEVICE: facts.device, AccountTrace.Kind.NETWORK: facts.network}
    expires_on = (timezone.now() + timedelta(days=settings.ACCOUNT_TRACE_DAYS)).date()
    AccountTrace.objects.bulk_create(
        [
            AccountTrace(
                participation=participation,
                kind=kind,
                keyed_hash=keyed_hash(participation.study_id, kind, value),
                expires_on=expires_on,
            )
            for kind, value in kinds.items()
            if value
        ],
        ignore_conflicts=True,
    )
    return True


def _may_be_kept(participation: Participation) -> bool:
    return (
        participation.state == Participation.State.CONSENTED
        and participation.study.keeps_paradata
        and not participation.worker.simulated
    )


def keyed_hash(study_id: int, kind: str, value: str) -> str:
    """HMAC-SHA256 in hex, under the study's key; the same value of another kind or study gives another."""
    return salted_hmac(f"{SALT}.{study_id}", f"{kind}:{value}", algorithm="sha256").hexdigest()


def shared_traces(study: Study) -> list[Shared]:
    """Which participations share a device or a network, as far as is remembered; devices first. One query."""
    kept = AccountTrace.objects.filter(participation__study=study, expires_on__gt=timezone.now().date())
    often = kept.values("keyed_hash").annotate(people=Count("pk")).filter(people__gt=1).values("keyed_hash")
    rows = kept.filter(keyed_hash__in=often).order_by("kind", "keyed_hash", "created_at", "pk")
    found = groupby(rows.values_list("kind", "keyed_hash", "participation"), key=lambda row: row[:2])
    return [
        Shared(AccountTrace.Kind(kind), tuple(participation for *_, participation in members))
        for (kind, _), members in found
    ]


def forget_expired(now: datetime) -> int:
    """Delete traces whose day has come, FORGOTTEN_AT_ONCE at a time; gives their number."""
    expired = AccountTrace.objects.filter(expires_on__lte=now.date())
    forgotten = 0
    while ids := list(expired.values_list("pk", flat=True)[:FORGOTTEN_AT_ONCE]):
        forgotten += AccountTrace.objects.filter(pk__in=ids).delete()[0]
    if forgotten:
        logger.info("traces of accounts forgotten", extra={"traces": forgotten})
    return forgotten
