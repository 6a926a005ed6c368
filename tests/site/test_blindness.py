"""Nothing that an evaluator's browser receives tells which system it talks to (every way, all eight systems)."""

from __future__ import annotations

import hashlib
import json
import re

import pytest

from ratings.simulation.browserless import Visitor
from tests.site.running import Site
from tests.site.test_visit import LINES, SCORES, hexed, talk
from tests.site.traces import Received, disguises, found, telling_words
from tests.site_process import PROJECT

FRAMES = {
    "state": {"type", "phase", "turn", "of", "words", "may_finish"},
    "message": {"type", "position", "speaker", "text", "at"},
    "accepted": {"type", "client_id", "position"},
    "typing": {"type"},
}
SYSTEMS = 8


async def talk_with_every_system(site: Site) -> list[tuple[str, Received]]:
    """One person's eight talks; for each its id and everything that the browser received."""
    talks = []
    entrance = Received()
    async with Visitor(site.url, "table7", watch=entrance) as visitor:
        await visitor.enter()
        await visitor.consent()
        for _ in range(SYSTEMS):
            visitor.watch = received = Received(list(entrance.items))
            await visitor.start_talk()
            await fetch_assets(visitor)
            await talk(visitor, LINES[:3])
            await visitor.drop()
            await visitor.connect()
            await talk(visitor, LINES[3:])
            await visitor.finish()
            await visitor.get(f"/t/{visitor.talk_id}/nothing/")
            await visitor.rate(SCORES)
            for cookie in visitor.http.cookies.jar:
                received("cookie", f"{cookie.name}={cookie.value}")
            talks.append((visitor.talk_id, received))
        visitor.watch = talks[-1][1]
        await visitor.leave()
    return talks


async def fetch_assets(visitor: Visitor) -> None:
    """What the page loads beside itself."""
    page = visitor.page
    for address in re.findall(r'(?:src|href)="(/static/[^"]+)"', page.html):
        await visitor.get(address)
    visitor.page = page


def canaries(site: Site) -> set[str]:
    """Everything that names a model, its revision or its slot."""
    named = site.rows(
        "SELECT m.id, m.slug, m.name, r.id, r.path, r.weights_sha256, a.id FROM modelhub_registeredmodel m "
        "JOIN modelhub_revision r ON r.model_id = m.id JOIN chat_arm a ON a.revision_id = r.id "
        "JOIN chat_study s ON s.id = a.study_id WHERE s.slug = 'table7'"
    )
    return {str(value) for row in named for value in row if value} | {str(PROJECT), str(site.data)}


def said(site: Site) -> list[str]:
    """Everything that people or partners say, and what a study's pages say to everybody."""
    texts = [text for (text,) in site.rows("SELECT text FROM chat_message")]
    contexts = site.rows(
        "SELECT topic, situation, worker_seed, model_seed, worker_persona FROM chat_seedcontext"
    )
    for topic, situation, mine, theirs, persona in contexts:
        texts += [topic, situation, mine, theirs, *json.loads(persona)]
    return texts + [text for row in site.rows("SELECT title, consent_text FROM chat_study") for text in row]


async def test_nothing_that_a_browser_receives_names_the_system(site: Site) -> None:
    talks = await talk_with_every_system(site)
    ids = [hexed(talk_id) for talk_id, _ in talks]
    places = ",".join("?" * len(ids))
    arms = site.rows(f"SELECT DISTINCT arm_id FROM chat_conversation WHERE id IN ({places})", *ids)
    assert len(arms) == SYSTEMS
    evidence = site.rows(
        f"SELECT evidence FROM chat_message WHERE speaker = 'model' AND conversation_id IN ({places})", *ids
    )
    assert len(evidence) == SYSTEMS * len(LINES)
    assert all(json.loads(kept) for (kept,) in evidence), "without evidence there is nothing that could leak"

    wanted, words = canaries(site), said(site)
    for talk_id, received in talks:
        assert found(wanted, received) == [], talk_id
        assert telling_words(received, words) == [], talk_id
        for frame in received.frames():
            assert set(frame) == FRAMES[str(frame["type"])], frame
    shapes = {
        tuple(sorted({text.partition(":")[0] for source, text in received.items if source == "header"}))
        for _, received in talks
    }
    assert len(shapes) == 1, "the headers differ between systems"


@pytest.mark.parametrize(
    "wrapped",
    [
        "the model is Zq Canary 7",
        "x=" + b"..{Zq Canary 7}".hex(),
        hashlib.sha256(b"Zq Canary 7").hexdigest(),
        "cookie=eyJtb2RlbCI6IlpxIENhbmFyeSA3In0",
        "/t/?m=Zq%20Canary%207",
    ],
)
def test_the_scan_finds_a_canary_in_disguise(wrapped: str) -> None:
    assert found(["Zq Canary 7"], Received([("body", wrapped)]))


def test_the_scan_finds_telling_words_outside_what_was_said_alone() -> None:
    received = Received([("frame", '{"text": "Wow, I passed my Ed exam", "skill": "wow"}')])
    assert len(telling_words(received, ["Wow, I passed my Ed exam"])) == 2
    assert all(form for form in disguises("abc"))
