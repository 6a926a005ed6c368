"""Reading how messages were typed; ``turns`` stores it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields
from uuid import UUID

from chat.models import TypingRecord
from chat.typing_dynamics import TypingDynamics

COLUMNS = [field.name for field in fields(TypingDynamics)]


def typing_of(talk_ids: Iterable[UUID]) -> dict[UUID, dict[int, TypingDynamics]]:
    """By talk and position of the message how it was typed, in order; one query.

    Talks and messages of which nothing is recorded are not in it. ``talk_ids`` may be a query of ids.
    """
    records = TypingRecord.objects.filter(message__conversation__in=talk_ids)
    found: dict[UUID, dict[int, TypingDynamics]] = {}
    rows = records.order_by("message__conversation", "message__position")
    for talk_id, position, *values in rows.values_list(
        "message__conversation", "message__position", *COLUMNS
    ):
        found.setdefault(talk_id, {})[position] = TypingDynamics(*values)
    return found
