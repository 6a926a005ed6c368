"""Every write of a message."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from uuid import uuid4

import pytest
from django.db import connections

from chat import endings, replies, turns
from chat.errors import (
    MessageNotFound,
    MessageRefused,
    NotYourTurn,
    TalkNotFound,
    TalkOver,
    TooEarly,
    WrongStep,
)
from chat.events import Phase
from chat.models import Conversation, Message, Report, Turn
from chat.standing import state_of
from modelhub.dialogue import Reply

State = Conversation.State


def stored(talk) -> list[tuple[int, str, str]]:
    return list(talk.messages.order_by("position").values_list("position", "speaker", "text"))


def state(talk) -> str:
    talk.refresh_from_db()
    return talk.state


# --- Saying -------------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_a_message_is_stored_and_a_reply_is_owed(talk, say):
    say("I had a quiet day.")
    assert stored(talk) == [(1, "worker", "I had a quiet day.")]
    turn = talk.turns.get()
    assert (turn.position, turn.state, turn.attempt) == (2, Turn.State.ASKED, 0)


@pytest.mark.django_db
def test_the_same_client_id_twice_stores_once(talk, say):
    first = say("I had a quiet day.", "c1")
    assert say("I had a quiet day.", "c1") == first
    assert say("Something else.", "c1").text == "I had a quiet day."
    assert len(stored(talk)) == talk.turns.count() == 1


@pytest.mark.django_db
def test_a_message_sent_again_after_the_talk_has_ended_is_still_accepted(talk, say):
    first = say("I had a quiet day.", "c1")
    endings.end(talk.id, State.ABANDONED)
    assert say("I had a quiet day.", "c1") == first


@pytest.mark.django_db
def test_a_message_out_of_turn_is_refused_and_not_stored(talk, say):
    say("I had a quiet day.", "c1")
    with pytest.raises(NotYourTurn):
        say("Are you there?", "c2")
    assert len(stored(talk)) == talk.turns.count() == 1


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "empty"),
        ("   \n", "empty"),
        ("word " * 31, "too_long"),
        ("x" * 1001, "too_long"),
        ("i like to swim in cold lakes", "persona_copy"),
    ],
)
def test_a_message_against_the_rules_is_refused_and_not_stored(talk, say, text, code):
    with pytest.raises(MessageRefused) as refused:
        say(text)
    assert refused.value.code == code
    assert stored(talk) == [] and not talk.turns.exists()


@pytest.mark.django_db
def test_the_models_persona_may_be_said_by_chance(say):
    assert say("I bake bread on Sundays.").position == 1


@pytest.mark.django_db
@pytest.mark.parametrize("ended", [state for state in State if state != State.CHATTING])
def test_nothing_is_said_in_a_talk_that_is_over(talk, say, ended):
    Conversation.objects.update(state=ended)
    with pytest.raises(TalkOver):
        say()
    assert stored(talk) == []


@pytest.mark.django_db
def test_a_foreign_talk_and_none_look_alike(study, talk, join):
    stranger = join(study)
    refusals = []
    for talk_id in (talk.id, uuid4()):
        with pytest.raises(TalkNotFound) as refused:
            turns.say(talk_id, stranger.id, "Hello there.", "c1")
        refusals.append((refused.value.code, str(refused.value)))
    assert refusals[0] == refusals[1]
    assert stored(talk) == []


@pytest.mark.django_db(transaction=True)
def test_parallel_copies_of_one_message_store_once(talk, participation):
    gate = Barrier(8)

    def send(_) -> int:
        gate.wait()
        try:
            return turns.say(talk.id, participation.id, "Hello there.", "c1").position
        finally:
            connections.close_all()

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(send, range(8))) == {1}
    assert Message.objects.count() == Turn.objects.count() == 1


# --- Going on to the rating ---------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_finishing_too_early_is_refused(talk, participation, exchange):
    exchange(1)
    with pytest.raises(TooEarly):
        turns.finish(talk.id, participation.id)
    assert state(talk) == State.CHATTING


@pytest.mark.django_db
def test_finishing_while_a_reply_is_owed_is_refused(talk, participation, exchange, say):
    exchange(1)
    say("The second message.", "c2")
    with pytest.raises(NotYourTurn):
        turns.finish(talk.id, participation.id)


@pytest.mark.django_db
def test_after_enough_turns_the_rating_begins_and_asking_twice_is_once(talk, participation, exchange):
    exchange(1), exchange(2)
    turns.finish(talk.id, participation.id)
    turns.finish(talk.id, participation.id)
    assert state(talk) == State.RATING
    assert talk.rating_at


@pytest.mark.django_db
def test_after_the_last_turn_the_rating_begins_by_itself(talk, exchange):
    for n in range(1, 5):
        assert state(talk) == State.CHATTING
        exchange(n)
    assert state(talk) == State.RATING


@pytest.mark.django_db
def test_a_talk_is_complete_once_and_only_after_its_rating_began(talk, study):
    with pytest.raises(WrongStep):
        endings.complete(talk.id)
    Conversation.objects.update(state=State.RATING)
    endings.complete(talk.id)
    with pytest.raises(WrongStep):
        endings.complete(talk.id)
    assert state(talk) == State.COMPLETE
    assert study.arms.get().taken == 1


@pytest.mark.django_db
def test_a_talk_ends_once_and_gives_its_slot_back_once(talk, study):
    assert endings.end(talk.id, State.ABANDONED)
    assert not endings.end(talk.id, State.WITHDRAWN)
    assert state(talk) == State.ABANDONED
    assert study.arms.get().taken == 0


@pytest.mark.django_db
def test_a_complete_talk_never_gives_its_slot_back(talk, study):
    Conversation.objects.update(state=State.RATING)
    endings.complete(talk.id)
    assert not endings.end(talk.id, State.WITHDRAWN)
    assert study.arms.get().taken == 1


# --- Where the talk stands ----------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_the_state_follows_the_talk(talk, participation, exchange, say):
    def seen() -> tuple[Phase, int, bool]:
        talk.refresh_from_db()
        now = state_of(talk)
        return now.phase, now.turn, now.may_finish

    assert seen() == (Phase.YOURS, 0, False)
    say("The first message.", "c1")
    assert seen() == (Phase.PARTNER, 1, False)
    replies.answer(talk.turns.get().id, Reply("Reply 1."), 1, 2)
    assert seen() == (Phase.YOURS, 1, False)
    exchange(2)
    assert seen() == (Phase.YOURS, 2, True)
    turns.finish(talk.id, participation.id)
    assert seen() == (Phase.RATING, 2, False)
    endings.complete(talk.id)
    assert seen() == (Phase.COMPLETE, 2, False)


@pytest.mark.django_db
def test_resuming_brings_what_was_said_after_a_position(talk, exchange):
    exchange(1), exchange(2)
    assert [(e.position, e.speaker, e.text) for e in turns.resume(talk, 2)] == [
        (3, "you", "This is message 2."),
        (4, "partner", "Reply 2."),
    ]
    assert turns.resume(talk, 99) == []


# --- Reporting ----------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_a_reply_is_reported_once_a_reason_and_the_talk_goes_on(talk, participation, exchange):
    exchange(1)
    for reason in ("harmful", "harmful", "nonsense"):
        turns.report(talk.id, participation.id, 2, reason)
    assert sorted(Report.objects.values_list("reason", flat=True)) == ["harmful", "nonsense"]
    assert state(talk) == State.CHATTING


@pytest.mark.django_db
@pytest.mark.parametrize("position", [1, 3])
def test_only_a_reply_of_the_partner_can_be_reported(talk, participation, exchange, position):
    exchange(1)
    with pytest.raises(MessageNotFound):
        turns.report(talk.id, participation.id, position, "other")
    assert not Report.objects.exists()
