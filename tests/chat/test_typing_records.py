"""How messages were typed: told by the page with the message, stored beside it, and nowhere else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict

import pytest
from channels.db import database_sync_to_async as in_database
from django.db.models import ProtectedError
from django.test import Client
from django.urls import reverse

from chat import assignment, turns
from chat.models import Conversation, Message, Participation, Study, TypingRecord
from chat.typing_dynamics import TypingDynamics
from chat.typing_records import typing_of
from tests.talk_page import TalkPage

pytestmark = pytest.mark.django_db(transaction=True)
HELLO = "I had a quiet day."
TYPED = TypingDynamics(
    keystrokes=21,
    deletions=3,
    pastes=1,
    pasted_characters=12,
    first_key_ms=1800,
    typed_ms=7300,
    focus_losses=2,
)
OTHER = TypingDynamics(1, 0, 0, 0, 1, 1, 0)

OpenPage = Callable[..., TalkPage]


async def say(page: TalkPage, client_id: str, typing: TypingDynamics | None) -> dict[str, object]:
    """Send a message as the page does; the frame that accepts or refuses it."""
    told = {"typing": asdict(typing)} if typing else {}
    await page.send(type="say", client_id=client_id, text=HELLO, **told)
    return await page.until("accepted", "refused")


@in_database
def recorded(talk: Conversation) -> dict[int, TypingDynamics]:
    return typing_of([talk.pk]).get(talk.pk, {})


async def test_what_the_page_tells_is_stored_beside_the_message(talk, open_page: OpenPage) -> None:
    page = await open_page(talk)
    assert await say(page, "c1", TYPED) == {"type": "accepted", "client_id": "c1", "position": 1}
    assert await recorded(talk) == {1: TYPED}


async def test_a_message_without_it_is_accepted_and_has_no_record(talk, open_page: OpenPage) -> None:
    page = await open_page(talk)
    assert (await say(page, "c1", None))["type"] == "accepted"
    assert await recorded(talk) == {}


@pytest.mark.parametrize("first", [TYPED, None])
async def test_a_message_that_is_sent_again_changes_nothing(talk, open_page: OpenPage, first) -> None:
    page = await open_page(talk)
    await say(page, "c1", first)
    assert await say(page, "c1", OTHER) == {"type": "accepted", "client_id": "c1", "position": 1}
    assert await recorded(talk) == ({1: first} if first else {})


async def test_what_is_told_wrongly_is_refused_with_its_message(talk, open_page: OpenPage) -> None:
    page = await open_page(talk)
    await page.send(type="say", client_id="c1", text=HELLO, typing={"keystrokes": 1})
    refused = await page.until("accepted", "refused")
    assert (refused["code"], refused["client_id"]) == ("bad_field", "c1")
    assert not await in_database(Message.objects.exists)()


async def test_the_browser_hears_nothing_of_it_again(talk, open_page: OpenPage) -> None:
    page = await open_page(talk)
    await say(page, "c1", TYPED)
    again = await open_page(talk, after=0)
    [said] = await again.messages(1)
    assert (said.position, said.text) == (1, HELLO)
    keys = {key for frame in page.frames + again.frames for key in frame}
    assert not keys & set(asdict(TYPED))


def test_a_message_that_cannot_be_stored_leaves_no_record(talk, monkeypatch) -> None:
    monkeypatch.setattr(turns, "take_until", lambda: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        turns.say(talk.pk, talk.participation_id, HELLO, "c1", TYPED)
    assert not TypingRecord.objects.exists() and not Message.objects.exists()


def test_a_study_that_keeps_no_paradata_stores_none_and_tells_its_page(
    study: Study, talk: Conversation, browser_of: Callable[..., Client]
) -> None:
    Study.objects.update(keeps_paradata=False)
    assert turns.say(talk.pk, talk.participation_id, HELLO, "c1", TYPED).position == 1
    assert not TypingRecord.objects.exists()
    page = browser_of(talk.participation.worker).get(reverse("talk", args=[talk.pk]))
    assert '"keeps_typing": false' in page.content.decode()


def test_records_of_talks_are_read_by_position_in_one_query(
    study: Study, join: Callable[..., Participation], django_assert_num_queries
) -> None:
    talks = [assignment.start_talk(join(study)) for _ in range(3)]
    for talk, typing in zip(talks, (TYPED, OTHER, None), strict=True):
        turns.say(talk.pk, talk.participation_id, HELLO, "c1", typing)
    with django_assert_num_queries(1):
        found = typing_of(Conversation.objects.values("pk"))
    assert found == {talks[0].pk: {1: TYPED}, talks[1].pk: {1: OTHER}}


def test_a_message_with_a_record_is_not_deleted(talk: Conversation) -> None:
    message = turns.say(talk.pk, talk.participation_id, HELLO, "c1", TYPED)
    talk.turns.all().delete()
    with pytest.raises(ProtectedError):
        message.delete()
