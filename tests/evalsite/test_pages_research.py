"""The researcher's pages of studies and talks."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse

from chat import endings, research_views, turns
from chat.assignment import start_talk
from chat.models import Conversation, Message, Participation, Study
from ratings.submit import submit

SCORES = {"knowledge": 3, "empathy": 3, "personal": 3, "overall": 3}


def page_of(client: Client, name: str, *args: object, **query: str) -> str:
    return client.get(reverse(name, args=args), query).content.decode()


def listed(page: str) -> list[str]:
    return re.findall(r'<th scope="row"><a class="mono"[^>]*>(\w+)</a>', page)


def test_without_a_study_the_next_step_is_told(researcher: Client) -> None:
    assert "manage.py load_starter" in page_of(researcher, "studies")


def test_progress_counts_people_and_names_simulated_talks_apart(
    study: Study, join: Callable[..., Participation], converse: Callable[..., Message], researcher: Client
) -> None:
    for simulated_as in ("", "", "steady"):
        talk = start_talk(join(study, simulated_as=simulated_as))
        converse(talk, finish=True)
        submit(talk.pk, talk.participation_id, SCORES)
    start_talk(join(study))
    page = page_of(researcher, "study", study.slug)
    assert "2 done · 1 talking · 10" in page
    assert "simulated, apart from these: 1 done · 0 talking" in page
    assert "has simulated talks" in page_of(researcher, "studies")


def test_the_study_s_page_has_the_evaluators_link_whole(study: Study, researcher: Client) -> None:
    assert f'value="http://testserver/e/{study.slug}/"' in page_of(researcher, "study", study.slug)


@pytest.mark.parametrize(
    ("floor_s", "told"),
    [(0, "shown as soon as they are there"), (2.5, "shown 2.5 s after the message or later")],
)
def test_the_study_s_page_tells_when_replies_are_shown(
    floor_s: float, told: str, study: Study, researcher: Client
) -> None:
    Study.objects.update(reply_floor=timedelta(seconds=floor_s))
    assert told in page_of(researcher, "study", study.slug)


def test_counts_are_of_people(
    talk: Conversation,
    converse: Callable[..., Message],
    join: Callable[..., Participation],
    researcher: Client,
) -> None:
    reply = converse(talk)
    for reason in ("nonsense", "harmful"):
        turns.report(talk.pk, talk.participation_id, reply.position, reason)
    study = talk.participation.study
    endings.end(start_talk(join(study)).pk, Conversation.State.FAILED)
    endings.end(start_talk(join(study, simulated_as="steady")).pk, Conversation.State.FAILED)
    page = page_of(researcher, "study", study.slug)
    figures = dict(re.findall(r'<dt>([\w ]+)</dt><dd class="big num">(\d+)</dd>', page))
    assert figures == {
        "took part": "2",
        "talking or rating": "1",
        "talks rated": "0",
        "ended early": "1",
        "replies reported": "2",
    }


@pytest.mark.parametrize(
    ("change", "state"), [("pause", "paused"), ("close", "closed"), ("nonsense", "open")]
)
def test_a_study_is_paused_and_closed_by_its_buttons(
    change: str, state: str, study: Study, researcher: Client
) -> None:
    researcher.post(reverse("study_state", args=[study.slug]), {"change": change})
    study.refresh_from_db()
    assert study.state == state


def test_a_closed_study_is_opened_again(study: Study, researcher: Client) -> None:
    for change in ("close", "open"):
        researcher.post(reverse("study_state", args=[study.slug]), {"change": change})
    study.refresh_from_db()
    assert study.is_open


# --- The list of talks ------------------------------------------------------------------------------------


@pytest.fixture
def talks(make_study: Callable[..., Study], join: Callable[..., Participation]) -> list[Conversation]:
    """Four talks on two arms: the second failed, the fourth is simulated."""
    study = make_study(arms=2, min_turns=1)
    started = [start_talk(join(study)) for _ in range(3)] + [start_talk(join(study, simulated_as="steady"))]
    endings.end(started[1].pk, Conversation.State.FAILED)
    return started


def short(talk: Conversation) -> str:
    return talk.pk.hex[:8]


def test_talks_are_listed_newest_first(talks: list[Conversation], researcher: Client) -> None:
    page = page_of(researcher, "talks", talks[0].participation.study.slug)
    assert listed(page) == [short(talk) for talk in reversed(talks)]
    assert page.count('"tag warn">simulated') == 1


def test_talks_are_filtered_by_state_arm_and_worker(talks: list[Conversation], researcher: Client) -> None:
    slug = talks[0].participation.study.slug
    of_arm = [short(talk) for talk in reversed(talks) if talk.arm == talks[0].arm]
    assert listed(page_of(researcher, "talks", slug, state="failed")) == [short(talks[1])]
    assert listed(page_of(researcher, "talks", slug, who="simulated")) == [short(talks[3])]
    assert listed(page_of(researcher, "talks", slug, arm=str(talks[0].arm.position))) == of_arm
    assert "No talk matches" in page_of(researcher, "talks", slug, state="withdrawn")


def test_an_unknown_filter_is_no_filter(talks: list[Conversation], researcher: Client) -> None:
    slug = talks[0].participation.study.slug
    assert (
        len(listed(page_of(researcher, "talks", slug, state="x' OR 1=1", arm="one", who="", page="0"))) == 4
    )


def test_pages_keep_the_filter(
    talks: list[Conversation], researcher: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(research_views, "TALKS_PER_PAGE", 2)
    slug = talks[0].participation.study.slug
    first = page_of(researcher, "talks", slug, who="people")
    assert "?who=people&amp;page=2" in first
    assert listed(page_of(researcher, "talks", slug, who="people", page="2")) == [short(talks[0])]


def test_a_study_without_talks_says_what_to_do(study: Study, researcher: Client) -> None:
    assert "Nobody has talked yet" in page_of(researcher, "talks", study.slug)


def test_the_list_costs_the_same_queries_however_many_talks(
    study: Study, join: Callable[..., Participation], researcher: Client, django_assert_max_num_queries
) -> None:
    for _ in range(6):
        start_talk(join(study))
    with django_assert_max_num_queries(7):
        page_of(researcher, "talks", study.slug)
