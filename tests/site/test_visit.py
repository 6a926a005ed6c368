"""A person's whole way through a running site, without a browser."""

from __future__ import annotations

import re

import pytest

from ratings.simulation.browserless import Visitor
from ratings.simulation.errors import Refused, StudyNotOpen
from tests.site.running import Site

SCORES = {"knowledge": 4, "empathy": 2, "personal": 5, "overall": 3}
LINES = (
    "I had a slow morning with far too much tea.",
    "Would you rather live by the sea or in the hills?",
    "My brother fixes old radios and never throws one away.",
    "That reminds me of a summer that I spent on a farm.",
    "I never learned to whistle, and I envy people who can.",
    "What would you cook for a friend who comes by tonight?",
)


async def talk(visitor: Visitor, lines: tuple[str, ...] = LINES) -> list[str]:
    """Say these lines; the partner's replies."""
    replies = []
    for line in lines:
        await visitor.until("yours")
        await visitor.say(line)
        replies.append((await visitor.reply()).text)
    await visitor.until("yours", "rating")
    return replies


async def begin(visitor: Visitor) -> str:
    """Enter, consent, start the first talk; its id."""
    await visitor.enter()
    await visitor.consent()
    await visitor.start_talk()
    return visitor.talk_id


def hexed(talk_id: str) -> str:
    """An id as SQLite keeps it."""
    return talk_id.replace("-", "")


async def test_a_person_talks_loses_the_connection_rates_and_gets_a_code(site: Site) -> None:
    async with Visitor(site.url, "table7") as visitor:
        await visitor.enter()
        await visitor.consent()
        card = await visitor.start_talk()
        assert len(card.persona) == 2
        assert len(card.seeds) == 2

        replies = await talk(visitor, LINES[:2])
        with pytest.raises(Refused) as early:
            await visitor.finish()
        assert early.value.code == "too_early"
        await visitor.until("yours")
        await visitor.say(LINES[2])
        await visitor.drop()
        await visitor.connect()
        replies.append((await visitor.reply()).text)
        replies += await talk(visitor, LINES[3:])
        await visitor.finish()
        await visitor.rate(SCORES)
        first = visitor.talk_id

        assert await visitor.code() == ""
        await visitor.start_talk()
        second = visitor.talk_id
        await talk(visitor)
        await visitor.finish()
        await visitor.rate(SCORES)
        await visitor.leave()
        code = await visitor.code()
        assert re.fullmatch(r"([A-Z2-7]{5}-){3}[A-Z2-7]{5}", code)
        await visitor.enter()
        assert await visitor.code() == code

    said = site.rows(
        "SELECT speaker, text FROM chat_message WHERE conversation_id = ? ORDER BY position", hexed(first)
    )
    assert [text for speaker, text in said if speaker == "worker"] == list(LINES)
    assert [text for speaker, text in said if speaker == "model"] == replies
    assert [speaker for speaker, _ in said] == ["worker", "model"] * 6
    ratings = dict(
        site.rows("SELECT axis, score FROM ratings_rating WHERE conversation_id = ?", hexed(first))
    )
    assert ratings == SCORES
    models = site.rows(
        "SELECT DISTINCT arm_id FROM chat_conversation WHERE id IN (?, ?)", hexed(first), hexed(second)
    )
    assert len(models) == 2


async def test_no_reply_repeats_anything_said_before_in_the_talk(site: Site) -> None:
    repeated = site.rows(
        "SELECT a.text FROM chat_message a JOIN chat_message b ON a.conversation_id = b.conversation_id "
        "AND a.position < b.position AND lower(a.text) = lower(b.text) JOIN chat_conversation c "
        "ON c.id = a.conversation_id WHERE b.speaker = 'model' AND c.simulated = 0"
    )
    assert repeated == []


async def test_a_person_who_leaves_before_a_talk_is_over_gives_the_slot_back_and_gets_no_code(
    site: Site,
) -> None:
    async with Visitor(site.url, "plain") as visitor:
        await begin(visitor)
        query = "SELECT taken FROM chat_arm JOIN chat_study s ON s.id = study_id WHERE s.slug = 'plain'"
        while_talking = site.one(query)
        await visitor.leave()
        assert site.one(query) == while_talking - 1
        assert await visitor.code() == ""


@pytest.mark.parametrize("study", ["shut", "full"])
async def test_a_closed_and_a_full_study_say_so_and_store_no_talk(site: Site, study: str) -> None:
    count = "SELECT count(*) FROM chat_conversation"
    before = site.one(count)
    async with Visitor(site.url, study) as visitor:
        with pytest.raises(StudyNotOpen):
            await begin(visitor)
        assert "Traceback" not in visitor.page.html
    assert site.one(count) == before


async def test_a_study_that_closes_during_a_talk_lets_it_be_finished_and_no_other_begin(site: Site) -> None:
    async with Visitor(site.url, "plain") as visitor:
        await begin(visitor)
        site.write("UPDATE chat_study SET state = 'closed' WHERE slug = 'plain'")
        try:
            await talk(visitor, LINES[:2])
            await visitor.finish()
            await visitor.rate(SCORES)
            assert len(await visitor.code()) == 23
            with pytest.raises(StudyNotOpen):
                await visitor.start_talk()
        finally:
            site.write("UPDATE chat_study SET state = 'open' WHERE slug = 'plain'")


async def test_no_log_has_what_was_said(site: Site) -> None:
    """Neither what the person said nor what was answered, though each is stored and shown."""
    async with Visitor(site.url, "table7") as visitor:
        talk_id = await begin(visitor)
        replies = await talk(visitor, LINES[:3])
    logs = site.logs()
    assert talk_id in logs
    assert [words for words in (*LINES, *replies) if words in logs] == []
