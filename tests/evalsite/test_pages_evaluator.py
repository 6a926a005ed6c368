"""An evaluator's way from page to page, and what each of them shows."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse

from chat import endings, studies, turns
from chat import participation as participations
from chat.models import Arm, Conversation, Message, Participation, Study, Worker
from ratings.submit import submit

SCORES = {"knowledge": 3, "empathy": 3, "personal": 3, "overall": 3}


def text_of(client: Client, name: str, *args: object) -> str:
    return client.get(reverse(name, args=args), follow=True).content.decode()


def title_of(page: str) -> str:
    return re.search(r"<title>(.*?)</title>", page, re.DOTALL).group(1)


def rate(talk: Conversation, converse: Callable[..., Message]) -> None:
    converse(talk, finish=True)
    submit(talk.pk, talk.participation_id, SCORES)


@pytest.fixture
def browser(participation: Participation, browser_of: Callable[..., Client]) -> Client:
    """The worker's, who has consented and has not talked yet."""
    return browser_of(participation.worker)


# --- Entering and consenting ------------------------------------------------------------------------------


def test_the_link_makes_a_worker_once_and_knows_the_browser_again(study: Study, client: Client) -> None:
    for _ in range(2):
        assert client.get(reverse("enter", args=[study.slug]))["Location"] == reverse(
            "consent", args=[study.slug]
        )
    assert Worker.objects.count() == 1


def test_the_worker_s_cookie_is_out_of_reach_of_scripts_and_other_sites(study: Study, client: Client) -> None:
    cookie = client.get(reverse("enter", args=[study.slug])).cookies[settings.WORKER_COOKIE_NAME]
    assert cookie["httponly"] and cookie["samesite"] == "Lax" and cookie["path"] == "/"


def test_a_simulation_s_link_marks_the_worker_and_leaves_the_address(study: Study, client: Client) -> None:
    answer = client.get(
        reverse("enter", args=[study.slug]), {"sim": participations.simulation_token("steady")}
    )
    assert "sim" not in answer["Location"]
    assert Worker.objects.get().simulated


def test_a_forged_simulation_link_makes_nobody(study: Study, client: Client) -> None:
    answer = client.get(reverse("enter", args=[study.slug]), {"sim": "steady:forged"})
    assert answer.status_code == 403
    assert not Worker.objects.exists()


def test_consent_needs_the_tick(study: Study, client: Client) -> None:
    client.get(reverse("enter", args=[study.slug]))
    answer = client.post(reverse("consent", args=[study.slug]), {"choice": "agree"})
    assert answer.status_code == 400
    assert title_of(answer.content.decode()).startswith("Error: ")
    assert 'href="#agreed"' in answer.content.decode()
    assert Participation.objects.get().state == Participation.State.ENTERED


def test_consent_leads_to_the_rules_of_a_talk(study: Study, client: Client) -> None:
    client.get(reverse("enter", args=[study.slug]))
    answer = client.post(
        reverse("consent", args=[study.slug]), {"choice": "agree", "agreed": "yes"}, follow=True
    )
    assert "How it works" in answer.content.decode()
    assert Participation.objects.get().state == Participation.State.CONSENTED


def test_who_declines_is_thanked_and_may_think_again(study: Study, client: Client) -> None:
    client.get(reverse("enter", args=[study.slug]))
    declined = client.post(reverse("consent", args=[study.slug]), {"choice": "decline"}, follow=True)
    assert "You are not taking part" in declined.content.decode()
    assert "Take part" in text_of(client, "consent", study.slug)


def test_paragraphs_of_the_consent_are_shown_as_text(
    make_study: Callable[..., Study], client: Client
) -> None:
    study = make_study(
        consent_text="What is kept. Nothing <b>bold</b>.\n\nSecond paragraph without a lead here."
    )
    page = text_of(client, "enter", study.slug)
    assert "<b>What is kept.</b> Nothing &lt;b&gt;bold&lt;/b&gt;." in page
    assert "<p>Second paragraph without a lead here.</p>" in page


# --- Studies that take nobody -----------------------------------------------------------------------------


@pytest.mark.parametrize("change", [studies.pause, studies.close])
def test_newcomers_are_told_that_the_study_is_not_open(
    change: Callable[[Study], None], study: Study, client: Client
) -> None:
    change(study)
    answer = client.get(reverse("enter", args=[study.slug]))
    assert answer.status_code == 409
    assert "not open" in answer.content.decode()
    assert not Worker.objects.exists()


def test_a_full_study_says_so_and_starts_nothing(browser: Client, study: Study) -> None:
    Arm.objects.update(target=0)
    answer = browser.post(reverse("start_talk", args=[study.slug]), follow=True)
    assert "The study is full" in answer.content.decode()
    assert not Conversation.objects.exists()


def test_a_paused_study_keeps_people_and_offers_the_code_to_those_who_finished(
    browser: Client, talk: Conversation, converse: Callable[..., Message]
) -> None:
    rate(talk, converse)
    studies.pause(talk.participation.study)
    page = text_of(browser, "enter", talk.participation.study.slug)
    assert "A short pause" in page and "Stop here and get my code" in page


# --- The room ---------------------------------------------------------------------------------------------


def room_of(page: str) -> dict[str, object]:
    return json.loads(
        re.search(r'<script id="room-data" type="application/json">(.*?)</script>', page).group(1)
    )


def test_starting_twice_gives_one_talk(browser: Client, study: Study) -> None:
    first, second = (browser.post(reverse("start_talk", args=[study.slug]))["Location"] for _ in range(2))
    assert first == second == reverse("talk", args=[Conversation.objects.get().pk])


def test_the_room_shows_the_worker_s_side_alone(browser: Client, talk: Conversation) -> None:
    page = text_of(browser, "talk", talk.pk)
    assert "I like to swim in cold lakes." in page and "What did you do today?" in page
    assert "Talk 1 of 10" in page
    for hidden in (*talk.context.model_persona, talk.arm.revision.model.name, talk.context.source):
        assert hidden not in page


def test_a_reload_shows_everything_that_was_said(
    browser: Client, talk: Conversation, converse: Callable[..., Message]
) -> None:
    last = converse(talk, 2)
    turns.report(talk.pk, talk.participation_id, last.position, "other")
    room = room_of(text_of(browser, "talk", talk.pk))
    assert [said["text"] for said in room["messages"]][-1] == last.text
    assert room["state"]["may_finish"] is True
    assert room["reported"] == [last.position]


def test_the_room_s_data_has_exactly_what_is_meant_for_it(
    browser: Client, talk: Conversation, converse: Callable[..., Message]
) -> None:
    converse(talk, 1, skill="wow", source="secret", score=0.5)
    room = room_of(text_of(browser, "talk", talk.pk))
    assert set(room) == {
        "socket",
        "rate",
        "onward",
        "last",
        "idle_s",
        "personas",
        "keeps_typing",
        "state",
        "messages",
        "reported",
    }
    assert all(set(said) == {"type", "position", "speaker", "text", "at"} for said in room["messages"])


def test_markup_in_a_message_cannot_end_the_data(browser: Client, talk: Conversation) -> None:
    turns.say(talk.pk, talk.participation_id, "</script><script>alert(1)</script>", "c1")
    page = text_of(browser, "talk", talk.pk)
    assert "<script>alert" not in page
    assert room_of(page)["messages"][0]["text"] == "</script><script>alert(1)</script>"


def test_a_situation_is_shown_where_the_context_has_one(browser: Client, talk: Conversation) -> None:
    type(talk.context).objects.update(situation="I missed the last train.", topic="")
    assert "I missed the last train." in text_of(browser, "talk", talk.pk)


@pytest.mark.parametrize(
    ("state", "told"),
    [
        (Conversation.State.ABANDONED, "nothing was written for a long time"),
        (Conversation.State.FAILED, "your partner cannot be reached"),
        (Conversation.State.WITHDRAWN, "You have left"),
    ],
)
def test_a_talk_that_ended_says_how_and_leads_on(
    state: Conversation.State, told: str, browser: Client, talk: Conversation
) -> None:
    endings.end(talk.pk, state)
    page = text_of(browser, "talk", talk.pk)
    assert told in page
    assert reverse("enter", args=[talk.participation.study.slug]) in page


def failed(talk: Conversation) -> None:
    turns.say(talk.pk, talk.participation_id, "Is anybody there?", "c1")
    endings.end(talk.pk, Conversation.State.FAILED)


def test_a_talk_that_failed_says_that_it_is_paid_and_what_can_be_done(
    browser: Client, talk: Conversation
) -> None:
    failed(talk)
    page = text_of(browser, "talk", talk.pk)
    assert "You are paid for your time" in page and "it takes none of your 10 talks" in page
    assert reverse("leave", args=[talk.participation.study.slug]) in page
    onward = text_of(browser, "enter", talk.participation.study.slug)
    assert "you are paid for it as for a finished talk" in onward and "Talk 1 of 10" in onward


def test_who_stops_after_a_failed_talk_gets_the_code_and_is_told_why(
    browser: Client, talk: Conversation
) -> None:
    failed(talk)
    slug = talk.participation.study.slug
    assert "You get your completion code" in text_of(browser, "leave", slug)
    page = browser.post(reverse("leave", args=[slug]), follow=True).content.decode()
    assert participations.completion_code(talk.participation) in page
    assert "That was our fault and not yours" in page and "You finished" not in page


# --- Between talks, leaving, and the end ------------------------------------------------------------------


def test_between_talks_the_progress_is_shown_with_a_way_out(
    browser: Client, talk: Conversation, converse: Callable[..., Message]
) -> None:
    rate(talk, converse)
    page = text_of(browser, "enter", talk.participation.study.slug)
    assert "Ready for talk 2?" in page and "1 of 10 talks finished" in page
    assert "Stop here" in page


def test_leaving_says_what_happens_and_needs_the_button(browser: Client, talk: Conversation) -> None:
    page = text_of(browser, "leave", talk.participation.study.slug)
    assert "Your talk ends now" in page and "no completion code" in page
    talk.refresh_from_db()
    assert talk.state == Conversation.State.CHATTING


def test_who_leaves_without_a_finished_talk_gets_no_code(browser: Client, talk: Conversation) -> None:
    slug = talk.participation.study.slug
    page = browser.post(reverse("leave", args=[slug]), follow=True).content.decode()
    assert "there is no completion code" in page
    talk.refresh_from_db()
    assert talk.state == Conversation.State.WITHDRAWN
    assert browser.post(reverse("start_talk", args=[slug]))["Location"] == reverse("thanks", args=[slug])


def test_who_stops_after_a_talk_gets_the_same_code_at_each_return(
    browser: Client, talk: Conversation, converse: Callable[..., Message]
) -> None:
    rate(talk, converse)
    slug = talk.participation.study.slug
    browser.post(reverse("leave", args=[slug]))
    code = participations.completion_code(talk.participation)
    for _ in range(2):
        assert code in text_of(browser, "enter", slug)


def test_the_cap_ends_with_the_code(
    make_study: Callable[..., Study],
    join: Callable[..., Participation],
    browser_of: Callable[..., Client],
    converse: Callable[..., Message],
) -> None:
    study = make_study(min_turns=1, conversations_per_worker=1)
    participation = join(study)
    browser = browser_of(participation.worker)
    browser.post(reverse("start_talk", args=[study.slug]))
    rate(Conversation.objects.get(), converse)
    page = text_of(browser, "enter", study.slug)
    assert participations.completion_code(participation) in page


def test_before_the_end_there_is_no_code_to_be_seen(
    browser: Client, talk: Conversation, converse: Callable[..., Message]
) -> None:
    rate(talk, converse)
    page = text_of(browser, "thanks", talk.participation.study.slug)
    assert "completion code" not in page and "Ready for talk 2?" in page


def test_idle_minutes_are_the_study_s(browser: Client, study: Study) -> None:
    Study.objects.update(idle_limit=timedelta(minutes=12))
    assert "left alone for 12 minutes" in text_of(browser, "enter", study.slug)
