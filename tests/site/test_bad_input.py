"""What a running site does with input that is wrong: it says so, stores nothing, and goes on."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from ratings.simulation.browserless import Visitor
from ratings.simulation.errors import Refused, TalkEnded
from tests.site.running import Site
from tests.site.test_visit import LINES, SCORES, begin, hexed, talk

MESSAGES = "SELECT count(*) FROM chat_message WHERE conversation_id = ?"
RATINGS = "SELECT axis, score FROM ratings_rating WHERE conversation_id = ? ORDER BY axis"

BAD_FRAMES = {
    "not JSON": ("hello there", "bad_json"),
    "a list": ("[1, 2]", "bad_json"),
    "a number that is not JSON": ('{"type": "resume", "after": NaN}', "bad_json"),
    "deep nesting": ("[" * 5000, "bad_json"),
    "nothing": ("", "bad_json"),
    "no type": ("{}", "unknown_type"),
    "an unknown type": ('{"type": "shutdown"}', "unknown_type"),
    "a type that is a list": ('{"type": ["say"]}', "unknown_type"),
    "a server's type": ('{"type": "message", "text": "x"}', "unknown_type"),
    "no text": ('{"type": "say", "client_id": "a"}', "bad_field"),
    "text that is a number": ('{"type": "say", "client_id": "a", "text": 5}', "bad_field"),
    "text with a NUL": ('{"type": "say", "client_id": "a", "text": "a\\u0000b"}', "bad_field"),
    "half a character": ('{"type": "say", "client_id": "a", "text": "\\ud800"}', "bad_field"),
    "an unknown field": ('{"type": "say", "client_id": "a", "text": "x", "speaker": "partner"}', "bad_field"),
    "an endless client id": (json.dumps({"type": "say", "client_id": "a" * 65, "text": "x"}), "bad_field"),
    "a negative position": ('{"type": "resume", "after": -1}', "bad_field"),
    "a boolean position": ('{"type": "resume", "after": true}', "bad_field"),
    "an unknown reason": ('{"type": "report", "position": 2, "reason": "dull"}', "bad_field"),
}


@pytest.fixture
async def visitor(site: Site) -> AsyncIterator[Visitor]:
    """Somebody who has just begun a talk."""
    async with Visitor(site.url, "plain", patience_s=20) as someone:
        await begin(someone)
        await someone.until("yours")
        yield someone


async def refusal(visitor: Visitor) -> str:
    """The code of the next refusal."""
    while (frame := await visitor.frame())["type"] != "refused":
        pass
    assert frame["reason"].strip()
    return str(frame["code"])


async def test_every_malformed_frame_is_refused_and_the_socket_lives_on(site: Site, visitor: Visitor) -> None:
    for text, code in BAD_FRAMES.values():
        await visitor.send(text)
        assert await refusal(visitor) == code
        await asyncio.sleep(0.25)  # slower than the limit on frames
    assert site.one(MESSAGES, hexed(visitor.talk_id)) == 0
    assert await talk(visitor, LINES[:1])


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "empty"),
        (" \n\t ", "empty"),
        ("word " * 31, "too_long"),
        ("x" * 3000, "too_long"),
        ("I like to swim in cold lakes.", "persona_copy"),
        ("Well, i like to SWIM in cold lakes!!", "persona_copy"),
    ],
)
async def test_a_message_against_the_rules_is_refused_with_its_reason(
    site: Site, visitor: Visitor, text: str, code: str
) -> None:
    with pytest.raises(Refused) as refused:
        await visitor.say(text)
    assert refused.value.code == code
    assert refused.value.reason
    assert site.one(MESSAGES, hexed(visitor.talk_id)) == 0
    await visitor.say("word " * 30)
    assert (await visitor.reply()).text


async def test_a_message_out_of_turn_is_refused_and_one_sent_twice_is_stored_once(
    site: Site, visitor: Visitor
) -> None:
    await visitor.send({"type": "say", "client_id": "one", "text": LINES[0]})
    await visitor.send({"type": "say", "client_id": "one", "text": LINES[0]})
    await visitor.send({"type": "say", "client_id": "two", "text": LINES[1]})
    answers = []
    while len(answers) < 3:
        frame = await visitor.frame()
        if frame["type"] in ("accepted", "refused"):
            answers.append((frame["client_id"], frame.get("position") or frame["code"]))
    stored = site.rows(
        "SELECT client_id FROM chat_message WHERE conversation_id = ? AND speaker = 'worker'",
        hexed(visitor.talk_id),
    )
    assert answers[:2] == [("one", 1), ("one", 1)]
    # A scripted partner may have answered before the third frame was read; then it was in turn.
    assert answers[2] == ("two", "not_your_turn") or answers[2] == ("two", 3)
    assert stored == [("one",)] if answers[2][1] == "not_your_turn" else [("one",), ("two",)]


@pytest.mark.parametrize(
    ("data", "code"),
    [(b"\x00\x01", 1003), ("x" * 20_000, 1009), ("x" * 17_000_000, 1009)],
    ids=["binary", "over 16 KiB", "17 MB"],
)
async def test_a_frame_that_is_no_frame_closes_the_socket_and_the_page_comes_back(
    site: Site, visitor: Visitor, data: str | bytes, code: int
) -> None:
    await visitor.say(LINES[0])
    await visitor.reply()
    assert await closed_by(visitor, data) == code
    await visitor.connect()
    assert await talk(visitor, LINES[1:2])
    assert site.one(MESSAGES, hexed(visitor.talk_id)) == 4


async def test_text_that_is_not_utf_8_closes_the_socket_and_the_page_comes_back(
    site: Site, visitor: Visitor
) -> None:
    assert await closed_by(visitor, b'{"type": "say", "text": "\xff\xfe"}', as_text=True) == 1007
    await visitor.connect()
    assert await talk(visitor, LINES[:1])


async def closed_by(visitor: Visitor, data: str | bytes, *, as_text: bool | None = None) -> int:
    """Send one frame and read until the site closes; its code."""
    socket = visitor.socket
    assert socket is not None
    try:
        await socket.send(data, text=as_text)
        while True:
            await asyncio.wait_for(socket.recv(), 20)
    except ConnectionClosed as closed:
        assert closed.rcvd is not None, "closed without a code"
        return closed.rcvd.code


async def test_a_flood_is_slowed_then_closed_while_others_talk_on(site: Site, visitor: Visitor) -> None:
    async with Visitor(site.url, "plain", patience_s=20) as other:
        await begin(other)
        flood = asyncio.create_task(closed_by_flood(visitor))
        assert await talk(other, LINES[:2])
        assert await flood == 4429
    assert site.one(MESSAGES, hexed(visitor.talk_id)) == 0


async def closed_by_flood(visitor: Visitor) -> int:
    socket = visitor.socket
    assert socket is not None
    try:
        for _ in range(400):
            await socket.send('{"type": "typing"}')
            await asyncio.sleep(0.01)
        while True:
            await asyncio.wait_for(socket.recv(), 20)
    except ConnectionClosed as closed:
        return closed.rcvd.code if closed.rcvd else 1006


@pytest.mark.parametrize(
    "change",
    [
        {"overall": None},
        {"overall": ""},
        {"knowledge": "0"},
        {"knowledge": "6"},
        {"empathy": "2.5"},
        {"personal": "good"},
        {"personal": "٣"},
        {"overall": "5; DROP TABLE"},
    ],
    ids=["missing", "empty", "0", "6", "2.5", "a word", "another script's digit", "worse"],
)
async def test_a_bad_rating_is_refused_and_nothing_is_stored(
    site: Site, rated: Visitor, change: dict[str, str | None]
) -> None:
    scores = {axis: score for axis, score in {**SCORES, **change}.items() if score is not None}
    page = await rated.rate(scores)
    assert page.status == 400
    assert page.heading
    assert site.rows(RATINGS, hexed(rated.talk_id)) == []


@pytest.fixture(scope="module")
def shared_talk() -> dict[str, str]:
    """Cookies and id of one talk that is due for rating; a refused rating changes nothing of it."""
    return {}


@pytest.fixture
async def rated(site: Site, shared_talk: dict[str, str]) -> AsyncIterator[Visitor]:
    """Somebody whose talk is due for rating."""
    async with Visitor(site.url, "plain", patience_s=20) as someone:
        if not shared_talk:
            await begin(someone)
            await talk(someone, LINES[:2])
            await someone.finish()
            shared_talk |= {"id": someone.talk_id, "worker": someone.http.cookies["worker"]}
        someone.http.cookies.set("worker", shared_talk["worker"], domain="localhost.local")
        someone.talk_id = shared_talk["id"]
        yield someone


async def test_ratings_sent_twice_are_stored_once(site: Site, visitor: Visitor) -> None:
    await talk(visitor, LINES[:2])
    await visitor.finish()
    await visitor.get(f"/t/{visitor.talk_id}/rate/")
    form = visitor.page.form_to("/rate/")
    assert form is not None
    answers = [
        visitor.http.post(
            f"/t/{visitor.talk_id}/rate/",
            data={**form.fields, **{axis: str(score) for axis, score in scores.items()}},
            headers={"Origin": site.url},
        )
        for scores in (SCORES, dict.fromkeys(SCORES, 1))
    ]
    statuses = sorted(response.status_code for response in await asyncio.gather(*answers))
    assert statuses[-1] < 500
    stored = dict(site.rows(RATINGS, hexed(visitor.talk_id)))
    assert stored in (SCORES, dict.fromkeys(SCORES, 1))


async def test_ratings_before_the_talk_is_over_are_refused(site: Site, visitor: Visitor) -> None:
    await talk(visitor, LINES[:1])
    await visitor.get(f"/e/{visitor.study}/leave/")
    form = visitor.page.form_to("/leave/")
    assert form is not None
    fields = {**form.fields, **{axis: str(score) for axis, score in SCORES.items()}}
    answer = await visitor.http.post(
        f"/t/{visitor.talk_id}/rate/", data=fields, headers={"Origin": site.url}, follow_redirects=False
    )
    assert answer.status_code in (302, 409)
    assert site.rows(RATINGS, hexed(visitor.talk_id)) == []
    assert await talk(visitor, LINES[1:2])


async def test_another_workers_talk_looks_like_one_that_does_not_exist(site: Site, visitor: Visitor) -> None:
    async with Visitor(site.url, "plain") as other:
        await begin(other)
        await other.drop()
        for path in ("", "rate/"):
            page = await other.get(f"/t/{visitor.talk_id}/{path}")
            assert page.status == 404
            assert "persona" not in page.html
        nowhere = await other.get("/t/00000000-0000-4000-8000-000000000000/")
        theirs = await other.get(f"/t/{visitor.talk_id}/")
        assert nowhere.html == theirs.html
        other.talk_id = visitor.talk_id
        with pytest.raises((TalkEnded, InvalidStatus)):
            await other.connect()
            await other.frame()
    assert site.one(MESSAGES, hexed(visitor.talk_id)) == 0


async def test_a_form_without_its_token_and_a_socket_from_elsewhere_are_refused(
    site: Site, visitor: Visitor
) -> None:
    answer = await visitor.http.post("/e/plain/leave/", data={}, headers={"Origin": site.url})
    assert answer.status_code == 403
    assert site.one("SELECT state FROM chat_conversation WHERE id = ?", hexed(visitor.talk_id)) == "chatting"
    await visitor.drop()
    visitor.origin = "http://evil.example"
    with pytest.raises(TalkEnded):
        await visitor.connect()
