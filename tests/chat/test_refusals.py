"""How often messages are refused is counted; what they said is not kept."""

from __future__ import annotations

import pytest

from chat.errors import MessageRefused
from chat.models import Message, Refusal

pytestmark = pytest.mark.django_db


def test_refused_messages_are_counted_by_why(say):
    for text in ("I like to swim in cold lakes.", "Well! I like to swim in cold lakes!", "word " * 31):
        with pytest.raises(MessageRefused):
            say(text)
    assert dict(Refusal.objects.values_list("code", "times")) == {"persona_copy": 2, "too_long": 1}
    assert not Message.objects.exists()


def test_what_is_accepted_counts_nothing(say):
    say("I had a quiet day.")
    assert not Refusal.objects.exists()
