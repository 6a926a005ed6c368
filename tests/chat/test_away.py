"""Sockets while the database or the queue is away: nothing is lost, nobody sees a trace, and all goes on by itself."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from threading import Barrier

import pytest
from channels.db import database_sync_to_async as in_database
from django.db import OperationalError, connection
from django.db.backends.base.base import BaseDatabaseWrapper

from chat import consumers, endings, replies
from chat.events import group_name, publisher
from chat.identity import cookie_value
from chat.models import Conversation, Message
from modelhub.dialogue import Reply
from tests.talk_page import TalkPage

pytestmark = pytest.mark.django_db(transaction=True)
HELLO = "I had a quiet day."
Away = Callable[[], AbstractContextManager[None]]


@pytest.fixture
def database_away(monkeypatch: pytest.MonkeyPatch) -> Away:
    """``with database_away():`` no statement reaches the database, as when its server restarts."""

    def refuse(*_: object) -> None:
        raise OperationalError("the server closed the connection unexpectedly")

    @contextmanager
    def away() -> Iterator[None]:
        with monkeypatch.context() as patched:
            patched.setattr(BaseDatabaseWrapper, "cursor", refuse)
            yield

    return away


@pytest.fixture
def end_connections(transactional_db: None) -> Iterator[Callable[[], None]]:
    """Does to the connections that lie in the pool what a restart does."""
    others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"

    def end() -> None:
        import psycopg

        settings = connection.settings_dict
        where = {"dbname": settings["NAME"], "user": settings["USER"], "password": settings["PASSWORD"]}
        with psycopg.connect(host=settings["HOST"], port=settings["PORT"] or 5432, **where) as own:
            own.execute(f"{others} AND pid <> pg_backend_pid()")

    yield end
    connection.close()  # the test's own is among them


@pytest.fixture
def queue_away(queue) -> Away:
    """``with queue_away():`` the queue's server is stopped, and started again after it."""
    if queue is None:
        pytest.skip("the queue is not ours to stop: REDIS_URL is set")

    @contextmanager
    def away() -> Iterator[None]:
        queue.stop()
        try:
            yield
        finally:
            queue.start()

    return away


@pytest.fixture
def looking_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(consumers, "WATCH_INTERVAL_S", 0.05)


@in_database
def reply(talk: Conversation, text: str = "How nice for you.") -> Message | None:
    return replies.answer(talk.turns.latest("position").id, Reply(text), 1, 2)


# --- The database -------------------------------------------------------------------------------------------------


async def test_a_message_is_refused_for_the_moment_and_accepted_when_it_is_sent_again(
    talk, open_page, database_away, caplog
):
    page = await open_page(talk)
    await page.phase("yours")
    with database_away():
        refused = await page.say(HELLO, "c1")
    assert (refused["client_id"], refused["code"]) == ("c1", "try_again")
    assert await page.say(HELLO, "c1") == {"type": "accepted", "client_id": "c1", "position": 1}
    assert "Traceback" not in caplog.text


@pytest.mark.parametrize("frame", [{"type": "finish"}, {"type": "typing"}, {"type": "resume", "after": 0}])
async def test_whatever_is_asked_the_socket_lives_on(talk, open_page, database_away, frame):
    page = await open_page(talk)
    with database_away():
        await page.send(**frame)
        assert (await page.until("refused"))["code"] == "try_again"
    assert (await page.say(HELLO))["type"] == "accepted"


async def test_what_could_not_be_brought_on_coming_back_is_brought_later(
    talk, open_page, database_away, looking_often
):
    page = await open_page(talk)
    await page.say(HELLO)
    await page.drop()
    await reply(talk)
    again = await open_page(talk)
    with database_away():
        await again.send(type="resume", after=0)
        await again.until("refused")
    assert [m.text for m in await again.messages(2)] == [HELLO, "How nice for you."]


async def test_a_socket_that_cannot_open_is_told_to_come_back(talk, database_away):
    page = TalkPage(talk.id, cookie=await in_database(lambda: cookie_value(talk.participation.worker))())
    with database_away():
        await page.connect()
        assert await page.closed() == 1013
    await page.drop()


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has no server; set DATABASE_URL")
async def test_a_restarted_database_costs_nothing_once_it_is_back(talk, open_page, end_connections):
    page = await open_page(talk, after=0)
    await page.say(HELLO, "c1")
    await in_database(fill_pool)()
    await in_database(end_connections)()
    await reply(talk)
    await page.phase("yours")
    assert (await page.say("And a quiet evening.", "c2"))["type"] == "accepted"


def fill_pool(connections_n: int = 8) -> None:
    """Have as many connections lie in the pool as many threads leave there."""
    gate = Barrier(connections_n)

    def use_one(_: int) -> None:
        Conversation.objects.exists()
        gate.wait()
        connection.close()

    with ThreadPoolExecutor(connections_n) as threads:
        list(threads.map(use_one, range(connections_n)))


# --- The queue ----------------------------------------------------------------------------------------------------


async def test_a_talk_goes_on_without_the_queue(talk, open_page, queue_away, looking_often):
    with queue_away():
        page = await open_page(talk, after=0)
        assert (await page.say(HELLO))["type"] == "accepted"
        await page.phase("partner")
        await reply(talk)
        assert [m.text for m in await page.messages(1)] == ["How nice for you."]
        assert (await page.next())["phase"] == "yours"


async def test_an_end_that_no_event_told_comes_with_its_words(talk, open_page, queue_away, looking_often):
    with queue_away():
        page = await open_page(talk, after=0)
        await page.say(HELLO)
        await in_database(endings.end)(talk.id, Conversation.State.FAILED)
        assert "You are paid for your time" in (await page.until("notice"))["text"]
        assert (await page.until("state"))["phase"] == "ended"


async def test_a_socket_that_opened_without_the_queue_hears_events_when_it_is_back(
    talk, open_page, queue_away, looking_often
):
    with queue_away():
        page = await open_page(talk)
        await page.phase("yours")
    # Only an event can tell a tab that there is a newer one.
    newer = {"type": "talk.newer", "opened_ns": 2**62, "channel": "another"}
    async with asyncio.timeout(20):
        while await page.silent():
            publisher().send(group_name(talk.id), newer)
    assert page.frames[-1]["code"] == "elsewhere"
    assert await page.closed() == 4001


async def test_an_open_socket_hears_events_after_the_queue_was_restarted(talk, open_page, queue_away):
    page = await open_page(talk, after=0)
    await page.say(HELLO)
    with queue_away():
        pass
    await reply(talk)
    assert [m.text for m in await page.messages(1)] == ["How nice for you."]
