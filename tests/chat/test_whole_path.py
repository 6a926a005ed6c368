"""The way of a message: socket, database, queue, worker, agent, database, event, socket."""

import asyncio
import time

import pytest
from channels.db import database_sync_to_async as in_database
from django.conf import settings
from django.utils import timezone

from chat import asking, assignment, replies, sweeper, tasks, turns
from chat.events import flush, publisher
from chat.layer import GroupLayer
from chat.models import Arm, Conversation, Message, Turn
from modelhub.dialogue import Reply
from modelhub.models import Revision

pytestmark = pytest.mark.django_db(transaction=True)


async def test_a_whole_talk_goes_through_the_worker(talk, serving, open_page):
    page = await open_page(talk, after=0)
    for n in range(1, 5):
        await page.say(f"This is message {n}.", f"c{n}")
        [said] = [m for m in await page.messages(1) if m.speaker == "partner"]
        assert (said.position, said.text) == (2 * n, f"Reply number {n} is here.")
        await page.phase("yours", "rating")
    assert page.frames[-1]["phase"] == "rating"
    kinds = [frame["type"] for frame in page.frames]
    assert kinds.count("typing") == kinds.count("accepted") == kinds.count("message") == 4
    stored = await in_database(lambda: list(Turn.objects.values_list("state", "attempt")))()
    assert stored == [(Turn.State.ANSWERED, 1)] * 4


async def test_many_talks_at_once_each_get_their_own_replies(make_study, join, serving, open_page):
    study = await in_database(make_study)(arms=4, target=10, min_turns=2, max_turns=4)
    talks = [await in_database(lambda: assignment.start_talk(join(study)))() for _ in range(12)]
    pages = [await open_page(talk) for talk in talks]
    for n, page in enumerate(pages):
        await page.send(type="say", client_id="c1", text=f"I am number {n}.")
    for page in pages:
        await page.phase("yours")
        await page.phase("yours")
    assert await in_database(Message.objects.filter(speaker="model", position=2).count)() == 12


def test_a_task_that_runs_twice_answers_once(talk, participation, serving, eventually):
    turns.say(talk.id, participation.id, "I had a quiet day.", "c1")
    turn = talk.turns.get()
    for _ in range(5):
        asking.ask(turn.id, turn.conversation.arm.revision_id)
    eventually(lambda: talk.messages.count() == 2, "the reply")
    tasks.answer_turns([turn.id])
    turn.refresh_from_db()
    assert (talk.messages.count(), turn.attempt) == (2, 1)


def test_a_model_that_cannot_answer_fails_the_talk_and_the_slot_is_back(
    study, join, serving, eventually, make_revision
):
    broken = Revision.objects.create(
        model=make_revision("Broken").model, number=2, kind=Revision.Kind.SCRIPTED, config={"replies": []}
    )
    Arm.objects.create(study=study, revision=broken, position=2, target=10)
    Arm.objects.filter(position=1).update(taken=9)
    talk = assignment.start_talk(join(study))
    assert talk.arm.revision == broken
    turns.say(talk.id, talk.participation_id, "I had a quiet day.", "c1")
    eventually(lambda: Conversation.objects.get().state == Conversation.State.FAILED, "the end of the talk")
    assert Turn.objects.get().attempt == 3
    assert Arm.objects.get(position=2).taken == 0


def test_a_task_that_was_lost_is_asked_for_by_the_sweeper_and_answered(
    talk, participation, serving, eventually, monkeypatch
):
    with monkeypatch.context() as losing:
        losing.setattr("chat.asking.ask_soon", lambda *_: None)
        turns.say(talk.id, participation.id, "I had a quiet day.", "c1")
    Turn.objects.update(lease_until=timezone.now())
    sweeper.sweep_once()
    eventually(lambda: talk.messages.count() == 2, "the reply")


def test_a_message_is_kept_while_the_queue_is_away_and_asked_for_when_it_is_back(
    talk, participation, queue, eventually
):
    if queue is None:
        pytest.skip("the queue is not ours to stop: REDIS_URL is set")
    turns.say(talk.id, participation.id, "Before the queue goes.", "c1")
    replies.answer(talk.turns.get().id, Reply("I am here."), 1, 2)
    queue.stop()
    try:
        message = turns.say(talk.id, participation.id, "While the queue is away.", "c2")
    finally:
        queue.start()
    assert list(talk.messages.all())[-1] == message
    turn = talk.turns.latest("position")
    assert turn.state == Turn.State.ASKED
    eventually(lambda: asking.ask(turn.id, turn.conversation.arm.revision_id), "the queue that is back")
    assert waiting() > 0


def test_a_queue_that_is_away_takes_nobodys_time(queue):
    if queue is None:
        pytest.skip("the queue is not ours to stop: REDIS_URL is set")
    queue.stop()
    try:
        assert not asking.ask(1, 1)
        begun = time.monotonic()
        assert not any(asking.ask(turn_id, 1) for turn_id in range(100))
        assert time.monotonic() - begun < asking.AWAY_S
    finally:
        queue.start()


async def test_events_that_are_lost_while_the_queue_is_away_do_not_stop_the_next(queue, eventually, caplog):
    if queue is None:
        pytest.skip("the queue is not ours to stop: REDIS_URL is set")
    assert await published({"type": "talk.event", "n": 1}) == {"type": "talk.event", "n": 1}
    queue.stop()
    try:
        publisher().send("talk.restart", {"type": "talk.event", "n": 0})
        eventually(lambda: "events are not published" in caplog.text, "the loss")
    finally:
        queue.start()
    assert await published({"type": "talk.event", "n": 2}) == {"type": "talk.event", "n": 2}


async def test_an_event_that_pages_have_caught_up_with_is_dropped(monkeypatch):
    layer, channel = await subscribed()
    with monkeypatch.context() as late:
        late.setattr("chat.events.EVENT_LIFETIME_S", -1.0)
        publisher().send("talk.restart", {"type": "talk.event", "n": 1})
    publisher().send("talk.restart", {"type": "talk.event", "n": 2})
    async with asyncio.timeout(20):
        assert (await layer.receive(channel))["n"] == 2


async def test_a_process_that_ends_can_wait_for_its_events():
    for n in range(50):
        publisher().send("talk.restart", {"type": "talk.event", "n": n})
    flush()
    assert publisher()._waiting._unfinished_tasks == 0


async def published(message: dict[str, object]) -> dict[str, object]:
    """What arrives in a group when the publisher sends to it."""
    layer, channel = await subscribed()
    publisher().send("talk.restart", message)
    async with asyncio.timeout(20):
        return await layer.receive(channel)


async def subscribed() -> tuple[GroupLayer, str]:
    """A channel layer of a test's own, and its channel in the group."""
    layer = GroupLayer(**settings.CHANNEL_LAYERS["default"]["CONFIG"])
    channel = await layer.new_channel()
    await layer.group_add("talk.restart", channel)
    return layer, channel


def waiting() -> int:
    """Tasks on the queue that nobody took."""
    from evalsite.celery import app

    with app.connection_for_read() as connection:
        return connection.default_channel.client.llen("serve")
