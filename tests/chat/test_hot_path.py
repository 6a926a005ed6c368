"""What a turn costs the database, pinned: every statement more is paid for by every talk at once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from chat import background, load, replies, turns
from chat.models import Conversation
from chat.standing import standing_of
from chat.typing_dynamics import TypingDynamics
from modelhub.dialogue import Reply

pytestmark = pytest.mark.django_db


def statements(act: Callable[[], object]) -> list[str]:
    """The kinds of statements that an act makes, without the ends of transactions."""
    with CaptureQueriesContext(connection) as captured:
        act()
    kinds = [query["sql"].split(None, 1)[0] for query in captured]
    return [kind for kind in kinds if kind in ("SELECT", "INSERT", "UPDATE", "DELETE")]


@pytest.fixture
def owed(talk: Conversation, exchange, say) -> int:
    """The turn that is owed after the second message."""
    exchange(1)
    say("The second message.", "c2")
    return talk.turns.latest("position").pk


def test_a_message_costs_three_statements(talk, participation, exchange):
    exchange(1)
    load.owed()
    said = statements(lambda: turns.say(talk.pk, participation.pk, "The second message.", "c2"))
    assert said == ["UPDATE", "INSERT", "INSERT"]


def test_how_a_message_was_typed_costs_one_statement_more(talk, participation, exchange):
    exchange(1)
    load.owed()
    typing = TypingDynamics(19, 2, 0, 0, 2400, 6100, 0)
    said = statements(lambda: turns.say(talk.pk, participation.pk, "The second message.", "c2", typing))
    assert said == ["UPDATE", "INSERT", "INSERT", "INSERT"]


def test_a_talk_that_is_new_to_the_process_is_read_once(talk, participation, exchange):
    exchange(1)
    load.owed()
    background.forget()
    said = statements(lambda: turns.say(talk.pk, participation.pk, "The second message.", "c2"))
    assert said == ["SELECT", "UPDATE", "INSERT", "INSERT"]


def test_a_message_that_was_sent_before_costs_two_queries_more(talk, participation, say):
    say("The first message.", "c1")
    again = statements(lambda: turns.say(talk.pk, participation.pk, "The first message.", "c1"))
    assert again == ["UPDATE", "SELECT", "SELECT"]


def test_taking_a_turn_up_costs_two_statements_with_all_that_its_reply_needs(owed):
    def take_up() -> None:
        turn = replies.claim(owed)
        assert turn.conversation.arm.revision_id
        assert len(turn.conversation.dialogue().utterances) == 3

    assert statements(take_up) == ["UPDATE", "SELECT"]


def test_a_turn_that_another_took_costs_one_statement(owed):
    replies.claim(owed)
    assert statements(lambda: replies.claim(owed)) == ["UPDATE"]


def test_a_reply_costs_four_statements(owed):
    replies.claim(owed)
    answered = statements(lambda: replies.answer(owed, Reply("How nice."), 1, 2))
    assert answered == ["SELECT", "UPDATE", "INSERT", "UPDATE"]


def test_holding_a_reply_costs_two_statements_and_showing_it_four(owed, study, talk):
    type(study).objects.update(reply_floor=timedelta(seconds=10))
    background.forget()
    background.talk(talk.pk)
    held = statements(lambda: replies.answer(owed, Reply("How nice."), 1, 2))
    assert held == ["SELECT", "UPDATE"]
    assert statements(lambda: replies.deliver(owed)) == ["SELECT", "UPDATE", "INSERT", "UPDATE"]


def test_telling_where_a_talk_stands_asks_nothing(talk, participation):
    assert statements(lambda: standing_of(turns.open_talk(talk.pk, participation.pk))) == ["SELECT"]
    stored = turns.say(talk.pk, participation.pk, "The first message.", "c1")
    assert statements(lambda: standing_of(stored.conversation)) == []
