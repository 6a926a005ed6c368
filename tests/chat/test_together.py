"""Calls that come while another works are done as one."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from chat import replies
from chat.models import Turn
from chat.together import Together
from modelhub.dialogue import Reply


def test_a_call_alone_is_done_at_once() -> None:
    assert Together(lambda items: [item * 2 for item in items])(4) == 8


def test_calls_that_come_meanwhile_are_one_batch(eventually) -> None:
    batches: list[list[int]] = []
    may_end = threading.Event()

    def work(items):
        batches.append(list(items))
        may_end.wait(10)
        return [item + 100 for item in items]

    together = Together(work)
    with ThreadPoolExecutor(9) as threads:
        first = threads.submit(together, 0)
        eventually(lambda: batches, "the first batch")
        later = [threads.submit(together, number) for number in range(1, 9)]
        eventually(lambda: len(together._waiting) == 8, "eight that wait")
        may_end.set()
        assert first.result() == 100
        assert [each.result() for each in later] == list(range(101, 109))
    assert [len(batch) for batch in batches] == [1, 8]


def test_a_batch_has_a_limit() -> None:
    batches: list[int] = []

    def work(items):
        batches.append(len(items))
        return items

    together = Together(work, most=3)
    with ThreadPoolExecutor(20) as threads:
        assert list(threads.map(together, range(200))) == list(range(200))
    assert max(batches) <= 3


def test_one_that_fails_costs_the_others_nothing() -> None:
    ready = threading.Barrier(4)

    def work(items):
        if 2 in items:
            raise ValueError("no twos")
        return items

    def call(number: int) -> int:
        ready.wait(10)
        return together(number)

    together = Together(work)
    with ThreadPoolExecutor(4) as threads:
        calls = [threads.submit(call, number) for number in range(4)]
        assert [calls[number].result() for number in (0, 1, 3)] == [0, 1, 3]
        with pytest.raises(ValueError, match="no twos"):
            calls[2].result()


def test_several_of_one_caller_are_one_batch_and_come_back_in_order() -> None:
    batches: list[list[int]] = []

    def work(items):
        batches.append(list(items))
        return [item + 100 for item in items]

    assert Together(work).all([3, 1, 2]) == [103, 101, 102]
    assert batches == [[3, 1, 2]]
    assert Together(work).all([]) == []


def test_of_several_that_fail_the_first_is_raised_when_all_are_done() -> None:
    done: list[int] = []

    def work(items):
        if any(item < 0 for item in items):
            raise ValueError(f"below zero: {items}")
        done.extend(items)
        return items

    with pytest.raises(ValueError, match=r"\[-1\]"):
        Together(work).all([1, -1, 2, -2, 3])
    assert done == [1, 2, 3]


def test_where_a_database_is_away_nobody_waits_for_the_others() -> None:
    ready, tries = threading.Barrier(8), []

    def work(items):
        tries.append(len(items))
        threading.Event().wait(0.2)
        raise ConnectionError("away")

    def call(number: int) -> None:
        ready.wait(10)
        together(number)

    together = Together(work, of_all=(ConnectionError,))
    with ThreadPoolExecutor(8) as threads:
        calls = [threads.submit(call, number) for number in range(8)]
    assert all(isinstance(each.exception(), ConnectionError) for each in calls)
    assert sum(tries) == 8 and len(tries) <= 3


@pytest.mark.django_db
def test_turns_that_are_claimed_and_answered_in_one_transaction_are_each_themselves(study, join) -> None:
    from chat import assignment, turns

    owed = []
    for number in range(4):
        talk = assignment.start_talk(join(study))
        turns.say(talk.pk, talk.participation_id, f"I am number {number}.", f"c{number}")
        owed.append(talk.turns.get().pk)
    replies.claim(owed[1])
    claimed = replies.claim_all([*owed, 4711])
    assert [turn and turn.pk for turn in claimed] == [owed[0], None, owed[2], owed[3], None]
    answers = [replies.Answer(turn_id, Reply(f"You are {turn_id}."), 1, 2) for turn_id in owed]
    shown = replies.answer_all([*answers, answers[0]])
    assert [message and message.text for message in shown] == [
        *(f"You are {turn_id}." for turn_id in owed),
        None,
    ]
    assert set(Turn.objects.values_list("state", flat=True)) == {Turn.State.ANSWERED}
