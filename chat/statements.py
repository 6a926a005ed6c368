"""The statements that every turn makes, written out: asked through the ORM they cost several times as much.

What they do to a row stands here and nowhere else; what it means stands in ``turns`` and ``replies``. Both databases
understand them, RETURNING included (SQLite 3.35, PostgreSQL).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import astuple
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.db import connection

from chat.models import Message
from chat.typing_dynamics import TypingDynamics

ADVANCE = """
UPDATE chat_conversation SET last_position = last_position + 1, last_activity_at = %s
WHERE id = %s AND state = 'chatting' AND last_position %% 2 = 0 RETURNING last_position
"""
INSERT_MESSAGE = """
INSERT INTO chat_message (conversation_id, position, speaker, text, client_id, evidence, queued_ms, generated_ms,
held_ms, created_at) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s) RETURNING id
"""
INSERT_TYPING = """
INSERT INTO chat_typingrecord (message_id, keystrokes, deletions, pastes, pasted_characters, first_key_ms, typed_ms,
focus_losses) VALUES (%s, %s, %s, %s, %s, %s, %s, %s)
"""
INSERT_TURN = """
INSERT INTO chat_turn (conversation_id, position, state, attempt, asked_again, lease_until, asked_at)
VALUES (%s, %s, 'asked', 0, 0, %s, %s) RETURNING id
"""
CLAIM = """
UPDATE chat_turn SET state = 'running', attempt = attempt + 1, started_at = %s, lease_until = %s
WHERE id = %s AND attempt < %s AND (state = 'asked' OR (state = 'running' AND lease_until < %s))
AND EXISTS (SELECT 1 FROM chat_conversation c WHERE c.id = conversation_id AND c.state = 'chatting')
RETURNING conversation_id, position, attempt, asked_at
"""
#: Whose talk goes on; it is locked where the database locks rows.
LOCKED = """
SELECT t.conversation_id, t.position, t.state, t.attempt, t.asked_at, t.started_at, t.ended_at, t.reply, c.last_position
FROM chat_turn t JOIN chat_conversation c ON c.id = t.conversation_id WHERE t.id = %s AND c.state = 'chatting'
"""
END_OWED = """
UPDATE chat_turn SET state = 'answered', ended_at = %s, lease_until = NULL, reply = NULL
WHERE id = %s AND state IN ('asked', 'running')
"""
END_HELD = """
UPDATE chat_turn SET state = 'answered', ended_at = %s, lease_until = NULL, reply = NULL
WHERE id = %s AND state = 'held'
"""
REPLIED = """
UPDATE chat_conversation SET last_position = %s, last_activity_at = %s, state = %s, rating_at = %s WHERE id = %s
"""


def run(sql: str, *values: object) -> int:
    """How many rows a statement changed."""
    with connection.cursor() as cursor:
        cursor.execute(sql, [_given(value) for value in values])
        return int(cursor.rowcount)


def rows(sql: str, *values: object) -> list[Sequence[Any]]:
    """What a statement gives, as the database has it: see ``moment``, ``talk_id`` and ``document``."""
    with connection.cursor() as cursor:
        cursor.execute(sql, [_given(value) for value in values])
        return cursor.fetchall()


def first(sql: str, *values: object) -> Sequence[Any] | None:
    found = rows(sql, *values)
    return found[0] if found else None


def locked(turn_id: int) -> Sequence[Any] | None:
    """LOCKED of a turn, with the lock."""
    lock = " FOR UPDATE OF c" if connection.features.has_select_for_update else ""
    return first(LOCKED + lock, turn_id)


def insert_message(message: Message) -> None:
    """Store a message and give it its id. Raises IntegrityError for a position or client id that is there."""
    found = first(
        INSERT_MESSAGE,
        message.conversation_id,
        message.position,
        message.speaker,
        message.text,
        message.client_id,
        message.evidence,
        message.queued_ms,
        message.generated_ms,
        message.held_ms,
        message.created_at,
    )
    assert found
    message.pk = found[0]
    message._state.adding, message._state.db = False, connection.alias


def insert_typing(message: Message, typing: TypingDynamics) -> None:
    """Store how a message that was just stored was typed."""
    run(INSERT_TYPING, message.pk, *astuple(typing))


def moment(value: datetime | str) -> datetime:
    """A time as a database gives it; SQLite keeps it without its zone, which is UTC."""
    found = datetime.fromisoformat(value) if isinstance(value, str) else value
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found


def talk_id(value: UUID | str) -> UUID:
    return UUID(value) if isinstance(value, str) else value


def document(value: Any) -> Any:
    """A JSON column's value."""
    return json.loads(value) if isinstance(value, str) else value


def _given(value: object) -> Any:
    """A value as the database wants it."""
    if isinstance(value, UUID):
        return value if connection.features.has_native_uuid_field else value.hex
    if isinstance(value, datetime):
        return connection.ops.adapt_datetimefield_value(value)
    if isinstance(value, Mapping):
        return connection.ops.adapt_json_value(dict(value), None)
    return value
