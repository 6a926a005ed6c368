"""A model that owes too many replies takes no further message."""

import pytest

from chat import load, replies, turns
from chat.assignment import start_talk
from chat.errors import PartnerBusy
from modelhub.dialogue import Reply

pytestmark = pytest.mark.django_db


@pytest.fixture
def revision_id(talk) -> int:
    return talk.arm.revision_id


def test_what_each_model_owes_is_counted_until_it_is_answered(say, talk, revision_id, study, join):
    assert load.owed() == {}
    say()
    other = start_talk(join(study))
    turns.say(other.pk, other.participation_id, "Hello there.", "c1")
    load.forget()
    assert load.owed() == {revision_id: 2}
    replies.claim(talk.turns.get().pk)
    load.forget()
    assert load.owed() == {revision_id: 2}
    replies.answer(talk.turns.get().pk, Reply("How nice."), 1, 2)
    load.forget()
    assert load.owed() == {revision_id: 1}


def test_a_process_asks_once_a_second(say, django_assert_num_queries):
    load.owed()
    say()
    with django_assert_num_queries(0):
        assert load.owed() == {}


def test_what_is_not_known_yet_is_asked_again_after_a_second(say, revision_id, monkeypatch):
    monkeypatch.setattr(load._counts, "_for_s", 0.0)
    load.forget()
    load.owed()
    say()
    assert load.owed() == {revision_id: 1}


def test_a_model_that_owes_its_limit_takes_no_message_and_stores_none(say, talk, study, join, settings):
    settings.MODEL_QUEUE_LIMIT = 1
    other = start_talk(join(study))
    say()
    load.forget()
    with pytest.raises(PartnerBusy) as refused:
        turns.say(other.pk, other.participation_id, "Hello there.", "c1")
    assert (refused.value.code, refused.value.status) == ("busy", 503)
    assert not other.messages.exists()


def test_a_message_that_is_stored_is_accepted_again_however_busy_the_model_is(say, settings):
    first = say("Hello there.", "c1")
    settings.MODEL_QUEUE_LIMIT = 0
    assert say("Hello there.", "c1") == first
