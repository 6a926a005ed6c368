"""The socket of a talk, through the real ASGI application and the real channel layer."""

import asyncio
import json

import pytest
from channels.db import database_sync_to_async as in_database

from chat import consumers, endings, frames, replies, turns
from chat import participation as participations
from chat.identity import cookie_value
from chat.models import Conversation, Message, Report, Turn
from modelhub.dialogue import Reply
from tests.chat.test_frames import BAD
from tests.talk_page import TalkPage

pytestmark = pytest.mark.django_db(transaction=True)
HELLO = "I had a quiet day."


@in_database
def reply(talk: Conversation, text: str = "How nice for you.") -> Message | None:
    """The model answers the turn that is owed."""
    return replies.answer(talk.turns.latest("position").id, Reply(text), 1, 2)


@in_database
def cookie_of(talk: Conversation) -> str:
    return cookie_value(talk.participation.worker)


@in_database
def count(model) -> int:
    return model.objects.count()


# --- A talk -------------------------------------------------------------------------------------------------------


async def test_a_page_hears_at_once_where_the_talk_stands(talk, open_page):
    page = await open_page(talk)
    assert await page.next() == {
        "type": "state", "phase": "yours", "turn": 0, "of": 2, "words": 30, "may_finish": False,
    }  # fmt: skip


async def test_a_message_is_accepted_and_its_reply_arrives(talk, open_page):
    page = await open_page(talk)
    assert await page.say(HELLO, "c1") == {"type": "accepted", "client_id": "c1", "position": 1}
    assert (await page.phase("partner"))["turn"] == 1
    await reply(talk, "How nice for you.")
    [said] = await page.messages(1)
    assert (said.position, said.speaker, said.text) == (2, "partner", "How nice for you.")
    assert (await page.next())["phase"] == "yours"


async def test_a_page_sees_its_partner_typing_as_soon_as_it_has_spoken(talk, open_page):
    page = await open_page(talk)
    await page.say(HELLO)
    assert await page.until("typing") == {"type": "typing"}
    await in_database(lambda: replies.claim(talk.turns.get().id))()
    assert await page.silent()


async def test_a_reply_computed_twice_is_seen_once_and_as_it_is_stored(talk, open_page):
    page = await open_page(talk)
    await page.say(HELLO)
    await reply(talk, "  The first.  ")
    await reply(talk, "The second.")
    [said] = await page.messages(1)
    stored = await in_database(talk.messages.get)(position=2)
    assert said.text == stored.text == "The first."
    assert await page.silent(ignoring=["state", "typing"])


async def test_the_same_message_sent_twice_is_accepted_twice_at_one_position(talk, open_page):
    page = await open_page(talk)
    assert (await page.say(HELLO, "c1"))["position"] == (await page.say(HELLO, "c1"))["position"] == 1
    assert await count(Message) == await count(Turn) == 1


async def test_the_rating_begins_when_asked_for_and_not_before(talk, open_page):
    page = await open_page(talk)
    await page.send(type="finish")
    assert (await page.until("refused"))["code"] == "too_early"
    for n in (1, 2):
        await page.say(f"This is message {n}.", f"c{n}")
        await reply(talk, f"Reply {n}.")
        await page.phase("yours")
    await page.send(type="finish")
    assert (await page.phase("rating"))["turn"] == 2


async def test_a_report_is_thanked_for_and_the_talk_goes_on(talk, open_page):
    page = await open_page(talk)
    await page.say(HELLO)
    await reply(talk)
    await page.phase("yours")
    await page.send(type="report", position=2, reason="nonsense")
    assert (await page.until("notice"))["code"] == "reported"
    assert await count(Report) == 1
    assert (await page.say("And now?", "c2"))["type"] == "accepted"


async def test_a_failed_talk_tells_its_page(talk, open_page):
    page = await open_page(talk)
    await in_database(endings.end)(talk.id, Conversation.State.FAILED)
    assert (await page.until("notice"))["code"] == "failed"
    assert (await page.until("state"))["phase"] == "ended"
    assert (await page.say(HELLO))["code"] == "talk_over"


async def test_typing_keeps_the_talk_alive_but_is_written_down_seldom(talk, open_page):
    page = await open_page(talk)
    await page.next()
    before = talk.last_activity_at
    await page.send(type="typing")
    await page.send(type="resume", after=0)
    await page.phase("yours")
    await in_database(talk.refresh_from_db)()
    noted = talk.last_activity_at
    assert noted > before
    await page.send(type="typing")
    await page.say("", "c9")
    await in_database(talk.refresh_from_db)()
    assert talk.last_activity_at == noted


# --- Refusals: a clear word, nothing stored, and the socket lives on ----------------------------------------------


@pytest.mark.parametrize(
    ("text", "code"),
    [("", "empty"), ("word " * 31, "too_long"), ("I LIKE TO SWIM IN COLD LAKES", "persona_copy")],
)
async def test_a_message_against_the_rules_is_refused(talk, open_page, text, code):
    page = await open_page(talk)
    refused = await page.say(text, "c1")
    assert (refused["type"], refused["client_id"], refused["code"]) == ("refused", "c1", code)
    assert refused["reason"]
    assert await count(Message) == 0
    assert (await page.say(HELLO, "c2"))["type"] == "accepted"


async def test_a_message_out_of_turn_is_refused(talk, open_page):
    page = await open_page(talk)
    await page.say(HELLO, "c1")
    refused = await page.say("Are you there?", "c2")
    assert (refused["client_id"], refused["code"]) == ("c2", "not_your_turn")
    assert await count(Message) == 1


# A socket takes twenty frames at once, so that the table comes in parts.
@pytest.mark.parametrize(
    "part", [slice(0, 15), slice(15, 30), slice(30, 45)], ids=["first", "second", "third"]
)
async def test_every_malformed_frame_is_refused_and_the_socket_lives_on(talk, open_page, part):
    page = await open_page(talk)
    for name, (text, code) in list(BAD.items())[part]:
        await page.send_text(text)
        refused = await page.until("refused")
        assert refused["code"] == code, name
        assert set(refused) == {"type", "client_id", "code", "reason"}
    assert await count(Message) == 0
    assert (await page.say(HELLO))["type"] == "accepted"


def test_every_case_of_the_table_fits_into_a_frame():
    assert len(BAD) == 45
    assert max(len(text.encode()) for text, _ in BAD.values()) <= frames.MAX_BYTES


async def test_a_binary_frame_closes_the_socket(talk, open_page):
    page = await open_page(talk)
    await page.send_bytes(b"\x00\xff")
    assert await page.closed() == 1003


async def test_a_frame_over_sixteen_kibibytes_closes_the_socket(talk, open_page):
    page = await open_page(talk)
    frame = json.dumps({"type": "say", "client_id": "c1", "text": "ä" * frames.MAX_BYTES}, ensure_ascii=False)
    await page.send_text(frame[: frames.MAX_BYTES])
    assert await page.closed() == 1009
    assert await count(Message) == 0


async def test_who_sends_too_fast_is_told_and_who_floods_is_cut_off(talk, open_page):
    page = await open_page(talk)
    for _ in range(200):
        await page.send(type="typing")
    assert (await page.until("refused"))["code"] == "slow_down"
    assert await page.closed() == 4429


async def test_a_new_socket_does_not_lift_the_limit(talk, open_page):
    page = await open_page(talk)
    for _ in range(200):
        await page.send(type="typing")
    await page.closed()
    again = await open_page(talk)
    for _ in range(200):
        await again.send(type="typing")
    assert await again.closed() == 4429
    assert [frame["type"] for frame in again.frames].count("refused") <= 5


# --- Who gets in --------------------------------------------------------------------------------------------------


async def test_another_workers_talk_is_closed_to_you(talk, study, join):
    stranger = await in_database(join)(study)
    cookie = await in_database(lambda: cookie_value(stranger.worker))()
    page = TalkPage(talk.id, cookie=cookie)
    assert not await page.connect()
    assert page.close_code == 4403
    await page.drop()


@pytest.mark.parametrize("cookie", [None, "", "forged", "a:b:c"])
async def test_nobody_gets_in_without_a_genuine_cookie(talk, cookie):
    page = TalkPage(talk.id, cookie=cookie)
    assert not await page.connect()
    assert page.close_code == 4403
    await page.drop()


@pytest.mark.parametrize("path", ["/ws/t/00000000-0000-4000-8000-000000000000/", "/ws/t/1/", "/ws/", "/"])
async def test_a_talk_that_is_not_there_looks_like_a_foreign_one(talk, path):
    page = TalkPage(talk.id, cookie=await cookie_of(talk), path=path)
    assert not await page.connect()
    assert page.close_code == 4403
    await page.drop()


@pytest.mark.parametrize("origin", [None, "null", "https://evil.example", "http://localhost.evil.example"])
async def test_a_missing_or_foreign_origin_is_refused(talk, origin):
    page = TalkPage(talk.id, cookie=await cookie_of(talk), origin=origin)
    assert not await page.connect()
    assert page.close_code != 4403
    await page.drop()


async def test_a_browser_cannot_name_a_group(talk, open_page):
    page = await open_page(talk)
    await page.send(type="talk.event", position=0, frames=[{"type": "notice"}])
    assert (await page.until("refused"))["code"] == "unknown_type"


# --- Coming back --------------------------------------------------------------------------------------------------


async def test_reconnecting_brings_what_was_said_meanwhile(talk, open_page):
    page = await open_page(talk)
    await page.say(HELLO, "a1")
    await page.drop()
    await reply(talk, "Said while you were away.")
    again = await open_page(talk, after=0)
    assert [m.text for m in await again.messages(2)] == [HELLO, "Said while you were away."]


async def test_resuming_after_a_position_brings_only_the_rest_and_then_the_state(talk, open_page):
    page = await open_page(talk)
    await page.say(HELLO, "a1")
    await reply(talk, "The reply.")
    await page.drop()
    again = await open_page(talk, after=1)
    await again.messages(1)
    assert (await again.next())["phase"] == "yours"
    assert [frame["position"] for frame in again.frames if frame["type"] == "message"] == [2]


async def test_a_page_that_missed_the_last_reply_gets_it_before_it_is_told_to_rate(talk, open_page):
    for number in range(4):
        await in_database(turns.say)(talk.id, talk.participation_id, HELLO, f"m{number}")
        await reply(talk, f"Reply {number}.")
    page = await open_page(talk, after=7)
    assert [m.text for m in await page.messages(1)] == ["Reply 3."]
    assert (await page.next())["phase"] == "rating"
    assert [frame["type"] for frame in page.frames] == ["message", "state"]


async def test_a_message_resent_after_a_lost_connection_is_accepted_and_stored_once(talk, open_page):
    page = await open_page(talk)
    await page.send(type="say", client_id="a1", text=HELLO)
    await page.until("accepted")
    await page.drop()
    await reply(talk)
    again = await open_page(talk, after=0)
    assert await again.say(HELLO, "a1") == {"type": "accepted", "client_id": "a1", "position": 1}
    assert await count(Message) == 2


async def test_an_event_that_was_lost_is_caught_up_with_the_next(talk, open_page, monkeypatch):
    page = await open_page(talk, after=0)
    await page.say("The first message.", "c1")
    await page.phase("partner")
    with monkeypatch.context() as losing:
        losing.setattr("chat.replies.publish_on_commit", lambda *events, **where: None)
        await reply(talk, "Lost on the way.")
        await in_database(turns.say)(talk.id, talk.participation_id, "From nowhere.", "c2")
    await reply(talk, "The second reply.")
    said = await page.messages(3)
    assert [(m.position, m.text) for m in said] == [
        (2, "Lost on the way."), (3, "From nowhere."), (4, "The second reply."),
    ]  # fmt: skip


async def test_a_reply_whose_event_was_lost_comes_when_the_message_is_sent_again(
    talk, open_page, monkeypatch
):
    page = await open_page(talk, after=0)
    await page.say(HELLO, "c1")
    with monkeypatch.context() as losing:
        losing.setattr("chat.replies.publish_on_commit", lambda *events, **where: None)
        await reply(talk, "Lost on the way.")
    await page.say(HELLO, "c1")
    assert [m.text for m in await page.messages(1)] == ["Lost on the way."]
    assert (await page.next())["phase"] == "yours"


async def test_a_reply_whose_event_was_lost_arrives_while_the_page_waits(talk, open_page, monkeypatch):
    monkeypatch.setattr("chat.consumers.WATCH_INTERVAL_S", 0.05)
    page = await open_page(talk, after=0)
    await page.say(HELLO)
    await page.phase("partner")
    with monkeypatch.context() as losing:
        losing.setattr("chat.replies.publish_on_commit", lambda *events, **where: None)
        await reply(talk, "Lost on the way.")
    assert [m.text for m in await page.messages(1)] == ["Lost on the way."]
    assert (await page.next())["phase"] == "yours"
    assert await page.silent()


async def test_the_newest_tab_wins_and_the_older_is_told(talk, open_page):
    older = await open_page(talk, after=0)
    newer = await open_page(talk, after=0)
    assert (await older.until("notice"))["code"] == "elsewhere"
    assert await older.closed() == 4001
    assert (await newer.say(HELLO))["type"] == "accepted"


async def test_of_three_tabs_exactly_the_last_stays(talk, open_page):
    pages = [await open_page(talk, after=0) for _ in range(3)]
    assert [await page.closed() for page in pages[:2]] == [4001, 4001]
    assert (await pages[2].say(HELLO))["type"] == "accepted"


async def test_a_tab_that_was_given_up_while_it_opened_sends_nobody_away(talk, open_page):
    page = await open_page(talk, after=0)
    assert await page.silent(ignoring=["state"])
    await open_page(talk)  # says nothing: its browser is gone
    assert await page.silent()
    assert (await page.say(HELLO))["type"] == "accepted"


async def test_a_tab_that_took_long_to_open_sends_no_newer_one_away(talk, open_page, monkeypatch):
    arrived, go_on = asyncio.Event(), asyncio.Event()

    def first_one_later(function):
        async def call(*arguments):
            if function is consumers.own_talk and not arrived.is_set():
                arrived.set()
                await go_on.wait()
            return await in_database(function)(*arguments)

        return call

    monkeypatch.setattr("chat.consumers.database_sync_to_async", first_one_later)
    opening = asyncio.create_task(open_page(talk, after=0))
    await arrived.wait()
    newer = await open_page(talk, after=0)
    assert await newer.silent(ignoring=["state"])
    go_on.set()
    await opening
    assert await newer.silent()
    assert (await newer.say(HELLO))["type"] == "accepted"


async def test_a_worker_who_left_gets_the_word_on_the_open_page(talk, participation, open_page):
    page = await open_page(talk)
    await in_database(participations.leave)(participation)
    assert (await page.until("notice"))["code"] == "withdrawn"
    assert (await page.until("state"))["phase"] == "ended"


async def test_an_open_page_hears_of_nothing_in_another_talk(talk, study, join, open_page):
    page = await open_page(talk)
    await page.next()
    from chat.assignment import start_talk

    other = await in_database(lambda: start_talk(join(study)))()
    await in_database(turns.say)(other.id, other.participation_id, HELLO, "x1")
    await reply(other)
    assert await page.silent()
