"""Talks in which something is said."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from chat import replies, turns
from chat.models import Conversation, Message, Participation
from modelhub.dialogue import Reply
from tests.pages import browser_of, researcher  # noqa: F401


@pytest.fixture
def say(talk: Conversation, participation: Participation) -> Callable[..., Message]:
    """Say something in the talk."""

    def run(text: str = "I had a quiet day.", client_id: str = "c1") -> Message:
        return turns.say(talk.id, participation.id, text, client_id)

    return run


@pytest.fixture
def exchange(say: Callable[..., Message], talk: Conversation) -> Callable[..., Message | None]:
    """The n-th exchange: a message of the worker's and its reply."""

    def run(n: int, text: str = "") -> Message | None:
        say(text or f"This is message {n}.", f"c{n}")
        return replies.answer(talk.turns.latest("position").id, Reply(f"Reply {n}."), 1, 2)

    return run
