"""The page of those who wait because no model can take another talk."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse

from chat.models import Conversation, Message, Participation, Study
from modelhub.models import ModelHealth
from modelhub.serving import health

pytestmark = pytest.mark.django_db


@pytest.fixture
def browser(participation: Participation, browser_of: Callable[..., Client]) -> Client:
    return browser_of(participation.worker)


def sicken(study: Study) -> None:
    ModelHealth.objects.create(revision=study.arms.get().revision, is_open=True, reason="engine_timeout")
    health.forget()


def test_who_waits_is_told_so_and_goes_on_by_itself(study: Study, browser: Client) -> None:
    page = reverse("start_talk", args=[study.slug])
    sicken(study)
    waiting = browser.get(page)
    assert waiting.status_code == 503 and waiting["Retry-After"] == "5"
    text = waiting.content.decode()
    assert "No partner is free just now" in text and "waiting.js" in text
    assert "engine_timeout" not in text
    health.close(study.arms.get().revision_id)
    assert browser.get(page).status_code == 200


def test_who_pressed_start_too_late_waits_too(study: Study, browser: Client) -> None:
    sicken(study)
    answer = browser.post(reverse("start_talk", args=[study.slug]), follow=True)
    assert answer.status_code == 503
    assert not Conversation.objects.exists()


def test_a_talk_under_way_with_a_sick_model_goes_on(
    study: Study, talk: Conversation, converse: Callable[..., Message]
) -> None:
    sicken(study)
    converse(talk)
    assert talk.last_position == 4
