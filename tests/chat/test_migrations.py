"""Rows of a site that ran before come through each change of the tables, forwards and back."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.state import StateApps

from chat import assignment, replies, turns
from chat.models import Conversation, Message, Study, Turn
from modelhub.dialogue import Reply

BEFORE = [("chat", "0001_initial")]
ASKED_AT = datetime(2026, 1, 1, tzinfo=UTC)
pytestmark = pytest.mark.django_db(transaction=True)


def migrate(to: list[tuple[str, str]]) -> StateApps:
    executor = MigrationExecutor(connection)
    executor.migrate(to)
    return MigrationExecutor(connection).loader.project_state(to).apps


@pytest.fixture
def latest() -> Iterator[list[tuple[str, str]]]:
    """Whatever a test does, the tables of all apps are up to date after it: those above go back with chat's."""
    leaves = MigrationExecutor(connection).loader.graph.leaf_nodes()
    yield leaves
    migrate(leaves)


@pytest.fixture
def answered(talk: Conversation) -> Conversation:
    """A talk with a reply that waited 30 ms for a worker and 7 ms in it, and was made in 11 ms."""
    turns.say(talk.pk, talk.participation_id, "I had a quiet day.", "c1")
    replies.answer(talk.turns.get().pk, Reply("How nice."), 7, 11)
    Turn.objects.update(asked_at=ASKED_AT, started_at=ASKED_AT + timedelta(milliseconds=30))
    Message.objects.filter(position=2).update(queued_ms=37)
    return talk


def test_positions_and_times_of_older_rows_are_kept_both_ways(answered: Conversation, latest) -> None:
    old = migrate(BEFORE).get_model("chat", "Turn").objects.get()
    assert (old.waited_ms, old.generated_ms) == (7, 11)
    migrate(latest)
    assert Conversation.objects.get().last_position == 2
    reply = Message.objects.get(position=2)
    assert (reply.queued_ms, reply.generated_ms, reply.held_ms) == (37, 11, 0)
    assert Message.objects.get(position=1).generated_ms is None


def test_a_held_reply_is_asked_for_anew_by_older_code(talk: Conversation, latest) -> None:
    turns.say(talk.pk, talk.participation_id, "I had a quiet day.", "c1")
    Turn.objects.update(state=Turn.State.HELD, attempt=1, reply={"text": "x"}, due_at=ASKED_AT)
    old = migrate(BEFORE).get_model("chat", "Turn").objects.get()
    assert (old.state, old.attempt) == ("asked", 0)


def test_a_talk_without_a_message_stands_at_nothing(study, join, latest) -> None:
    assignment.start_talk(join(study))
    migrate(BEFORE)
    migrate(latest)
    assert Conversation.objects.get().last_position == 0


def test_a_study_that_was_made_before_paradata_goes_on_without(study, latest) -> None:
    old = migrate([("chat", "0005_recent_replies")]).get_model("chat", "Study")
    old.objects.create(slug="older", title="Older", consent_text="We store what you write.")
    migrate(latest)
    assert not Study.objects.get(slug="older").keeps_paradata
    assert Study.objects.create(slug="newer", title="Newer").keeps_paradata
