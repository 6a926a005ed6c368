"""A study's floor hides how fast its models are."""

from __future__ import annotations

import time
from datetime import timedelta
from statistics import median

import pytest
from channels.db import database_sync_to_async as in_database
from django.utils import timezone

from chat import assignment, endings, replies, sweeper, turns
from chat.delivery import Deliverer
from chat.models import Arm, Conversation, Study, Turn
from modelhub.dialogue import Reply
from tests.talk_page import TalkPage

FLOOR_S = 0.8
SLOW_S = 0.4
#: What two models' medians may differ by.
ALIKE_S = 0.05


@pytest.fixture
def owed(talk: Conversation, participation) -> Turn:
    """A turn that is owed in a study with a floor of ten seconds."""
    Study.objects.update(reply_floor=timedelta(seconds=10))
    turns.say(talk.pk, participation.pk, "I had a quiet day.", "c1")
    return talk.turns.get()


def due_since(seconds: float) -> None:
    Turn.objects.update(due_at=timezone.now() - timedelta(seconds=seconds))


@pytest.mark.django_db
def test_an_early_reply_is_held_and_nobody_sees_it(owed, talk):
    assert replies.answer(owed.pk, Reply("So soon.", {"source": "wow"}), 1, 2) is None
    owed.refresh_from_db()
    assert (owed.state, owed.due_at) == (Turn.State.HELD, owed.asked_at + timedelta(seconds=10))
    assert owed.reply["text"] == "So soon."
    talk.refresh_from_db()
    assert talk.awaits_reply and talk.messages.count() == 1


@pytest.mark.django_db
def test_a_held_reply_is_shown_once_with_its_evidence_and_times(owed, talk):
    replies.answer(owed.pk, Reply("So soon.", {"source": "wow"}), 1, 2)
    message = replies.deliver(owed.pk)
    assert replies.deliver(owed.pk) is None
    assert (message.text, message.evidence, message.generated_ms) == ("So soon.", {"source": "wow"}, 2)
    assert message.held_ms is not None
    owed.refresh_from_db()
    assert (owed.state, owed.reply) == (Turn.State.ANSWERED, None)


@pytest.mark.django_db
def test_of_two_attempts_the_reply_that_is_held_counts(owed, talk):
    replies.answer(owed.pk, Reply("The first."), 1, 2)
    assert replies.answer(owed.pk, Reply("The second."), 1, 2) is None
    assert replies.claim(owed.pk) is None
    assert replies.deliver(owed.pk).text == "The first."


@pytest.mark.django_db
def test_a_reply_later_than_the_floor_is_shown_at_once(owed):
    Turn.objects.update(asked_at=timezone.now() - timedelta(seconds=11))
    assert replies.answer(owed.pk, Reply("Late."), 1, 2).held_ms == 0


@pytest.mark.django_db
def test_a_held_reply_of_a_talk_that_ended_is_never_shown(owed, talk):
    replies.answer(owed.pk, Reply("So soon."), 1, 2)
    endings.end(talk.pk, Conversation.State.WITHDRAWN)
    assert replies.deliver(owed.pk) is None
    owed.refresh_from_db()
    assert owed.state == Turn.State.FAILED


@pytest.mark.django_db
def test_the_sweeper_shows_what_a_dead_worker_held_and_nothing_sooner(owed, talk):
    replies.answer(owed.pk, Reply("So soon."), 1, 2)
    due_since(0)
    assert sweeper.sweep_once().delivered == 0
    due_since(2)
    assert sweeper.sweep_once().delivered == 1
    assert talk.messages.count() == 2


def test_the_deliverer_keeps_the_order_of_due_times_and_outlives_a_failure(eventually):
    delivered: list[tuple[int, float]] = []

    def deliver(turn_id: int) -> None:
        delivered.append((turn_id, (timezone.now() - begun).total_seconds()))
        if turn_id == 1:
            raise OSError("the database is away")

    begun = timezone.now()
    deliverer = Deliverer(deliver)
    for turn_id, after_s in ((3, 0.3), (1, 0.1), (2, 0.2)):
        deliverer.at(begun + timedelta(seconds=after_s), turn_id)
    eventually(lambda: len(delivered) == 3, "the deliveries")
    assert [turn_id for turn_id, _ in delivered] == [1, 2, 3]
    assert all(at_s >= turn_id / 10 for turn_id, at_s in delivered)


@pytest.mark.django_db(transaction=True)
async def test_a_fast_and_a_slow_model_take_equally_long(make_study, make_revision, join, serving, open_page):
    study = await in_database(make_study)(min_turns=2, max_turns=6, reply_floor=timedelta(seconds=FLOOR_S))
    slow = await in_database(make_revision)("Slow", delay_s=SLOW_S)
    await Arm.objects.acreate(study=study, revision=slow, position=2, target=10)
    talks = [await in_database(lambda: assignment.start_talk(join(study)))() for _ in range(2)]
    assert {talk.arm.position for talk in talks} == {1, 2}
    took_s = [await reply_times(await open_page(talk, after=0)) for talk in talks]
    assert abs(median(took_s[0]) - median(took_s[1])) < ALIKE_S, took_s
    assert min(took_s[0] + took_s[1]) >= FLOOR_S


async def reply_times(page: TalkPage, turns_n: int = 5) -> list[float]:
    """How long each reply took as a browser sees it, in seconds."""
    took = []
    for n in range(turns_n):
        begun = time.monotonic()
        await page.say(f"This is message {n}.", f"c{n}")
        await page.messages(1)
        took.append(time.monotonic() - begun)
        await page.phase("yours")
    return took
