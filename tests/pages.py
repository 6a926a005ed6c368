"""Browsers of the people who ask for pages; a folder's conftest takes the fixtures that it needs."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client

from chat import replies, turns
from chat.identity import cookie_value
from chat.models import Conversation, Message, Worker
from modelhub.dialogue import Reply


@pytest.fixture
def browser_of() -> Callable[..., Client]:
    """``browser_of(worker)``: a client with the worker's cookie."""

    def make(worker: Worker, **options: object) -> Client:
        client = Client(**options)
        client.cookies[settings.WORKER_COOKIE_NAME] = cookie_value(worker)
        return client

    return make


@pytest.fixture
def researcher(db: None) -> Client:
    """A client that is signed in as a researcher."""
    client = Client()
    client.force_login(User.objects.create(username="ada", is_staff=True))
    return client


@pytest.fixture
def converse() -> Callable[..., Message]:
    """``converse(talk, 2)``: so many turns, each with a reply; gives the last reply. ``finish=True`` ends it."""

    def make(talk: Conversation, count: int = 2, *, finish: bool = False, **evidence: object) -> Message:
        for number in range(1, count + 1):
            turns.say(talk.pk, talk.participation_id, f"What I say, number {number}.", f"c{number}")
            owed = replies.claim(talk.turns.latest("position").pk)
            last = replies.answer(owed.pk, Reply(f"What is answered, number {number}.", evidence), 3, 40)
        if finish:
            turns.finish(talk.pk, talk.participation_id)
        talk.refresh_from_db()
        return last

    return make
