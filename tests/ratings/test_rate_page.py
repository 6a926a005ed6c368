"""The rating page: the paper's words, errors that lead to their question, one submission."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from chat import endings
from chat.models import Conversation, Message
from ratings.axes import QUESTIONS

GOOD = {"knowledge": "4", "empathy": "5", "personal": "2", "overall": "1"}


@pytest.fixture
def due(talk: Conversation, converse: Callable[..., Message]) -> Conversation:
    converse(talk, finish=True)
    return talk


@pytest.fixture
def browser(due: Conversation, browser_of: Callable[..., Client]) -> Client:
    return browser_of(due.participation.worker)


@pytest.fixture
def path(due: Conversation) -> str:
    return reverse("rate", args=[due.pk])


def test_the_four_questions_are_asked_in_the_paper_s_words_and_order(browser: Client, path: str) -> None:
    page = browser.get(path).content.decode()
    assert re.findall(r"<legend>(.*?)</legend>", page) == [question.text for question in QUESTIONS]
    assert re.findall(r"<span>([^<]*· 5)</span>", page) == [
        "very · 5",
        "very much · 5",
        "a lot · 5",
        "a lot · 5",
    ]
    assert page.count("1 · not at all") == 4
    assert "checked" not in page.split("<form")[1]


def test_ratings_lead_on_and_are_stored(browser: Client, path: str, due: Conversation) -> None:
    assert browser.post(path, GOOD)["Location"] == reverse("enter", args=[due.participation.study.slug])
    assert {axis: str(score) for axis, score in due.ratings.values_list("axis", "score")} == GOOD


def test_what_is_missing_is_linked_from_a_summary_and_the_rest_is_kept(browser: Client, path: str) -> None:
    answer = browser.post(path, {"knowledge": "4", "empathy": "2.5"})
    page = answer.content.decode()
    assert answer.status_code == 400
    assert re.search(r"<title>\s*Error: ", page)
    linked = re.findall(r'<li><a href="#([\w-]+)">', page)
    assert linked == ["empathy-1", "personal-1", "overall-1"]
    assert all(f'id="{target}"' in page for target in linked)
    assert re.search(r'id="knowledge-4" value="4" required checked', page)
    assert "“2.5” is not on the scale" in page


def test_an_axis_that_is_sent_twice_is_refused(browser: Client, path: str, due: Conversation) -> None:
    answer = browser.post(path, GOOD | {"overall": ["3", "4"]})
    assert answer.status_code == 400
    assert not due.ratings.exists()


def test_a_second_submission_gets_the_time_of_the_first_and_no_second_row(
    browser: Client, path: str, due: Conversation
) -> None:
    browser.post(path, GOOD)
    answer = browser.post(path, {axis: "3" for axis in GOOD})
    due.refresh_from_db()
    assert answer.status_code == 200
    assert f"{due.ended_at:%Y-%m-%dT%H:%M:%SZ}" in answer.content.decode()
    assert due.ratings.count() == 4 and due.ratings.get(axis="overall").score == 1


def test_the_page_of_a_rated_talk_says_when_it_was_rated(browser: Client, path: str) -> None:
    browser.post(path, GOOD)
    page = browser.get(path).content.decode()
    assert "were stored on" in page and "<form" not in page


def test_before_the_talk_is_over_nothing_is_stored(
    talk: Conversation, browser_of: Callable[..., Client]
) -> None:
    browser = browser_of(talk.participation.worker)
    path = reverse("rate", args=[talk.pk])
    answer = browser.post(path, GOOD)
    assert answer.status_code == 409
    assert "The talk is not over yet" in answer.content.decode()
    assert browser.get(path)["Location"] == reverse("talk", args=[talk.pk])
    assert not talk.ratings.exists()


def test_a_talk_that_was_closed_meanwhile_says_so(browser: Client, path: str, due: Conversation) -> None:
    endings.end(due.pk, Conversation.State.ABANDONED)
    answer = browser.post(path, GOOD)
    assert answer.status_code == 409
    assert "nothing was written for a long time" in answer.content.decode()


def test_one_s_own_rated_talk_never_names_the_model(browser: Client, path: str, due: Conversation) -> None:
    name = due.arm.revision.model.name
    assert name not in browser.get(path).content.decode()
    assert name not in browser.post(path, {}).content.decode()
    assert name not in browser.post(path, GOOD, follow=True).content.decode()


def test_who_is_still_there_keeps_the_talk_and_what_was_chosen(
    browser: Client, path: str, due: Conversation
) -> None:
    long_ago = timezone.now() - timedelta(minutes=29)
    Conversation.objects.filter(pk=due.pk).update(last_activity_at=long_ago)
    page = browser.post(path, {"knowledge": "4", "stay": "yes"}).content.decode()
    due.refresh_from_db()
    assert due.last_activity_at > long_ago + timedelta(minutes=28)
    assert re.search(r'id="knowledge-4" value="4" required checked', page)
    assert "Error:" not in page and not due.ratings.exists()


def test_enter_sends_the_ratings(browser: Client, path: str) -> None:
    form = browser.get(path).content.decode().split('id="rating"')[1].split("</form>")[0]
    assert form.index("Send my ratings") < form.index("I am still here")


def test_nobody_stays_in_a_talk_that_was_closed(browser: Client, path: str, due: Conversation) -> None:
    endings.end(due.pk, Conversation.State.ABANDONED)
    assert browser.post(path, {"stay": "yes"})["Location"] == path
