"""What a process counts of its sockets and sweeps."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import OperationalError
from django.utils import timezone
from prometheus_client import REGISTRY

from chat import replies, sweeper, turns
from chat.models import Conversation, Turn
from tests.talk_page import TalkPage

pytestmark = pytest.mark.django_db(transaction=True)


class Counted:
    """``counted("frames_total", type="say")``: by how much it grew since the test began."""

    def __init__(self) -> None:
        self.before = {
            (sample.name, *sample.labels.items()): sample.value
            for family in REGISTRY.collect()
            for sample in family.samples
        }

    def __call__(self, name: str, **labels: str) -> float:
        now = REGISTRY.get_sample_value(f"colloquy_{name}", labels) or 0
        return now - self.before.get((f"colloquy_{name}", *labels.items()), 0)


@pytest.fixture
def counted() -> Counted:
    return Counted()


async def test_an_open_socket_is_counted_until_it_is_closed(
    talk: Conversation, open_page: Callable[..., TalkPage], counted: Counted
) -> None:
    page = await open_page(talk)
    await page.phase("yours")
    assert counted("sockets_open") == 1
    await page.drop()
    assert counted("sockets_open") == 0


async def test_a_socket_that_was_sent_away_is_not_counted(talk: Conversation, counted: Counted) -> None:
    page = TalkPage(talk.id)
    assert not await page.connect()
    await page.drop()
    assert counted("sockets_open") == 0


async def test_frames_are_counted_by_type_and_refusals_by_code(
    talk: Conversation, open_page: Callable[..., TalkPage], counted: Counted
) -> None:
    page = await open_page(talk)
    await page.say("What do you do all day?")
    await page.send_text("no JSON")
    await page.until("refused")
    assert counted("frames_total", type="say") == 1
    assert counted("frames_total", type="bad") == 1
    assert counted("refused_total", code="bad_json") == 1


async def test_an_acknowledgement_is_timed_and_a_refusal_is_not(
    talk: Conversation, open_page: Callable[..., TalkPage], counted: Counted
) -> None:
    page = await open_page(talk)
    await page.say("What do you do all day?")
    await page.say("And what at night?", "c2")
    assert counted("acknowledgement_seconds_count") == 1
    assert 0 < counted("acknowledgement_seconds_sum") < 20


def test_turns_that_are_asked_again_are_counted(talk: Conversation, counted: Counted) -> None:
    turns.say(talk.pk, talk.participation_id, "What do you do all day?", "c1")
    Turn.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    assert replies.ask_again() == 1
    assert counted("turns_asked_again_total") == 1


@pytest.mark.parametrize("outcome", ["done", "failed"])
def test_sweeps_are_counted_by_how_they_went(
    outcome: str, counted: Counted, monkeypatch: pytest.MonkeyPatch
) -> None:
    stop = threading.Event()

    def sweep() -> None:
        stop.set()
        if outcome == "failed":
            raise OperationalError("away")

    monkeypatch.setattr(sweeper, "sweep_once", sweep)
    sweeper.sweep_until(stop, 0)
    assert counted("sweeps_total", outcome=outcome) == 1
