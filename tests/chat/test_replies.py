"""A reply is stored once, whoever races for it, and an attempt that fails is repeated or ends the talk."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connections

from chat import endings, replies
from chat.models import Conversation, Turn
from modelhub.dialogue import Reply, Speaker, Utterance

State = Conversation.State


def stored(talk) -> list[tuple[int, str, str]]:
    return list(talk.messages.order_by("position").values_list("position", "speaker", "text"))


def state(talk) -> str:
    talk.refresh_from_db()
    return talk.state


@pytest.mark.django_db
def test_a_reply_is_stored_with_its_evidence_and_times(talk, say):
    say()
    replies.answer(talk.turns.get().id, Reply("  How nice! ", {"source": "wow", "score": 2.5}), 7, 11)
    assert stored(talk)[1] == (2, "model", "How nice!")
    assert talk.messages.get(position=2).evidence == {"source": "wow", "score": 2.5}
    message = talk.messages.get(position=2)
    assert (message.queued_ms, message.generated_ms, message.held_ms) == (7, 11, 0)
    assert talk.turns.get().state == Turn.State.ANSWERED


@pytest.mark.django_db
def test_a_reply_computed_twice_is_stored_once_and_the_first_counts(talk, say):
    say()
    turn = talk.turns.get()
    assert replies.answer(turn.id, Reply("The first."), 1, 2).text == "The first."
    assert replies.answer(turn.id, Reply("The second."), 1, 2) is None
    assert [text for _, _, text in stored(talk)] == ["I had a quiet day.", "The first."]


@pytest.mark.django_db
def test_a_reply_computed_twice_is_published_once(talk, say, django_capture_on_commit_callbacks):
    say()
    turn = talk.turns.get()
    for text, published in (("The first.", 1), ("The second.", 0)):
        with django_capture_on_commit_callbacks() as callbacks:
            replies.answer(turn.id, Reply(text), 1, 2)
        assert len(callbacks) == published


@pytest.mark.django_db(transaction=True)
def test_of_replies_that_race_one_is_stored(talk, say):
    say()
    turn_id = talk.turns.get().id
    gate = Barrier(8)

    def reply(n: int) -> bool:
        gate.wait()
        try:
            return replies.answer(turn_id, Reply(f"Reply {n}."), 1, 2) is not None
        finally:
            connections.close_all()

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(reply, range(8))) == 1
    assert talk.messages.count() == 2


@pytest.mark.django_db
def test_a_reply_after_the_talk_has_ended_is_not_stored(talk, say):
    say()
    endings.end(talk.id, State.WITHDRAWN)
    assert replies.answer(talk.turns.get().id, Reply("Too late."), 1, 2) is None
    assert len(stored(talk)) == 1


@pytest.mark.django_db
def test_an_empty_reply_is_no_reply(talk, say):
    say()
    turn = replies.claim(talk.turns.get().id)
    assert replies.answer(turn.id, Reply(" \x00 "), 1, 2) is None
    assert talk.turns.get().state == Turn.State.ASKED
    assert len(stored(talk)) == 1


@pytest.mark.django_db
def test_a_turn_is_claimed_once_while_its_lease_lasts(talk, say):
    say()
    turn_id = talk.turns.get().id
    claimed = replies.claim(turn_id)
    assert (claimed.state, claimed.attempt) == (Turn.State.RUNNING, 1)
    assert replies.claim(turn_id) is None


@pytest.mark.django_db(transaction=True)
def test_of_workers_that_race_for_a_turn_one_gets_it(talk, say):
    say()
    turn_id = talk.turns.get().id
    gate = Barrier(12)

    def claim(_) -> bool:
        try:
            Turn.objects.exists()  # the connection is open before the race begins
            gate.wait()
            return replies.claim(turn_id) is not None
        finally:
            connections.close_all()

    with ThreadPoolExecutor(12) as pool:
        assert sum(pool.map(claim, range(12))) == 1
    assert talk.turns.get().attempt == 1


@pytest.mark.django_db
def test_neither_an_answered_nor_an_unknown_turn_nor_one_of_an_ended_talk_is_claimed(talk, say, exchange):
    exchange(1)
    assert replies.claim(talk.turns.get().id) is None
    assert replies.claim(10**9) is None
    say("And another.", "c2")
    Conversation.objects.update(state=State.WITHDRAWN)
    assert replies.claim(talk.turns.latest("position").id) is None


@pytest.mark.django_db
def test_failed_attempts_are_repeated_and_the_last_one_fails_the_talk(talk, say, settings, study):
    settings.TURN_ATTEMPTS = 3
    say()
    turn_id = talk.turns.get().id
    for attempt in (1, 2):
        replies.give_up(replies.claim(turn_id).id, attempt)
        assert state(talk) == State.CHATTING
    replies.give_up(replies.claim(turn_id).id, 3)
    assert state(talk) == State.FAILED
    assert talk.turns.get().state == Turn.State.FAILED
    assert study.arms.get().taken == 0


@pytest.mark.django_db
def test_giving_up_a_stale_attempt_does_not_disturb_the_one_that_runs(talk, say):
    say()
    turn_id = talk.turns.get().id
    replies.claim(turn_id)
    Turn.objects.update(attempt=2)
    replies.give_up(turn_id, 1)
    assert talk.turns.get().state == Turn.State.RUNNING


@pytest.mark.django_db
def test_a_dialogue_holds_the_context_and_everything_said(talk, exchange):
    exchange(1)
    dialogue = Conversation.objects.get().dialogue()
    assert dialogue.key == str(talk.id)
    assert [u.text for u in dialogue.said] == [
        "What did you do today?", "I went for a walk.", "This is message 1.", "Reply 1.",
    ]  # fmt: skip
    assert dialogue.utterances[0] == Utterance(Speaker.WORKER, "This is message 1.")
