"""What a researcher reads of a talk."""

from __future__ import annotations

from collections.abc import Callable

from django.test import Client
from django.urls import reverse

from chat import turns
from chat.assignment import start_talk
from chat.models import Conversation, Message, Participation, Study
from ratings.submit import submit


def page_of(talk: Conversation, researcher: Client) -> str:
    return researcher.get(
        reverse("transcript", args=[talk.participation.study.slug, talk.pk])
    ).content.decode()


def test_it_shows_messages_evidence_context_ratings_and_reports(
    talk: Conversation, converse: Callable[..., Message], researcher: Client
) -> None:
    last = converse(talk, finish=True, skill="wow", source="a source", score=0.51239, candidate="c17")
    turns.report(talk.pk, talk.participation_id, last.position, "nonsense")
    submit(talk.pk, talk.participation_id, {"knowledge": 5, "empathy": 4, "personal": 3, "overall": 2})
    page = page_of(talk, researcher)
    for expected in (
        talk.arm.revision.model.name,
        "What I say, number 2.",
        "What is answered, number 2.",
        "ms, made in 40 ms",
        "<dt>skill</dt><dd>wow</dd>",
        "<dt>source</dt><dd>a source</dd>",
        "<dt>score</dt><dd>0.512</dd>",
        "<dt>candidate</dt><dd>c17</dd>",
        "I like to swim in cold lakes.",
        "I have two old dogs.",
        "What did you do today?",
        "reported: makes no sense",
        '<dt>Knowledge</dt><dd><b class="num">5</b>',
        '<dt>Overall quality</dt><dd><b class="num">2</b>',
    ):
        assert expected in page, expected


def test_a_person_s_talk_is_not_called_simulated(talk: Conversation, researcher: Client) -> None:
    assert "imulated" not in page_of(talk, researcher)


def test_a_simulated_talk_says_so(
    study: Study, join: Callable[..., Participation], researcher: Client
) -> None:
    talk = start_talk(join(study, simulated_as="steady"))
    page = page_of(talk, researcher)
    assert "Simulated: a program wrote and rated this talk (behaviour “steady”)" in page


def test_markup_in_messages_and_evidence_stays_text(
    talk: Conversation, converse: Callable[..., Message], researcher: Client
) -> None:
    converse(talk, 1, source="<img src=x onerror=alert(1)>")
    Message.objects.filter(conversation=talk).update(text="<script>alert(2)</script>")
    page = page_of(talk, researcher)
    assert "<img src=x" not in page and "<script>alert" not in page
    assert "&lt;img src=x onerror=alert(1)&gt;" in page


def test_it_costs_the_same_queries_however_long_the_talk(
    talk: Conversation, converse: Callable[..., Message], researcher: Client, django_assert_max_num_queries
) -> None:
    converse(talk, 4)
    with django_assert_max_num_queries(12):
        page_of(talk, researcher)
