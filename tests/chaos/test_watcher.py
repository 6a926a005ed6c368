"""What the watcher asks each second finds what it must, in a site's own tables."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from chat.models import Arm, Conversation, Participation, Turn
from chat.turns import say
from tests.chaos import watcher
from tests.chaos.database import Database
from tests.chaos.watcher import Answers, faults


class SameConnection(Database):
    """Asks on the test's own connection, which alone sees what the test wrote."""

    def __init__(self) -> None:
        super().__init__("file:" if connection.vendor == "sqlite" else "postgres:")

    def rows(self, query: str, *values: object) -> list[tuple[object, ...]]:
        with connection.cursor() as cursor:
            cursor.execute(query.replace("?", "%s"), values)
            return cursor.fetchall()


@pytest.fixture
def look(talk: Conversation) -> Callable[[], list[str]]:
    """The faults that the watcher finds in a study with one talk in which somebody has spoken."""
    say(talk.pk, talk.participation_id, "Good morning.", "c1")
    return lambda: faults(watcher.ask(SameConnection()))


def test_a_site_that_is_well_has_no_faults(look: Callable[[], list[str]]) -> None:
    assert look() == []


def test_a_slot_that_leaked_is_found(look: Callable[[], list[str]]) -> None:
    Arm.objects.update(taken=2)
    assert "2 slots taken, 1 talks live or done" in look()[0]


def test_a_talk_that_does_not_count_against_its_workers_cap_is_found(look: Callable[[], list[str]]) -> None:
    Participation.objects.update(talks_taken=0)
    assert "0 talks counted, 1 there" in look()[0]


def test_a_message_that_is_missing_is_found(look: Callable[[], list[str]]) -> None:
    Conversation.objects.update(last_position=2)
    assert "last position 2, 1 messages up to 1" in look()[0]


def test_a_reply_that_is_owed_for_too_long_is_found(look: Callable[[], list[str]]) -> None:
    Turn.objects.update(asked_at=timezone.now() - watcher.STUCK_AFTER - timedelta(seconds=1))
    assert "is owed for over 90 s" in look()[0]


def test_two_messages_at_one_position_are_a_fault() -> None:
    # The database refuses them, so that they can only be made up.
    assert faults(Answers(doubles=[("a", 1, 2)])) == ["talk a: 2 messages at position 1"]
