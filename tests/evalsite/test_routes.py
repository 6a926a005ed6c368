"""Who may ask for what: every route, every role, reading and sending, in one table.

An answer is a status, or the name of the route that the asker is sent to. A route that is not in the table
fails the first test, so that nobody adds one without saying who may have it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

import pytest
from django.contrib.auth.models import User
from django.http import HttpResponse
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, resolve, reverse

from chat.models import Conversation, Participation

#: nobody: no cookie. stranger: a worker with a talk of their own. worker: whose talk it is; it is under way.
#: user: signed in, but no researcher. gone: a researcher who was switched off. researcher: signed in and staff.
ROLES = ("nobody", "stranger", "worker", "user", "gone", "researcher")

Answer = int | str
#: Role -> (answer to GET, answer to POST); "others" for every role that is not named.
Row = dict[str, tuple[Answer, Answer]]
RESEARCH: Row = {"others": ("signed_out", 405), "researcher": (200, 405)}

MATRIX: dict[str, Row] = {
    "home": {"others": (200, 405), "researcher": ("studies", 405)},
    "signed_out": {"others": (200, 405)},
    "sign_in": {"others": (200, 403)},
    "sign_out": {"others": (405, "signed_out")},
    "healthz": {"others": (200, 405)},
    "readyz": {"others": (200, 405)},
    "enter": {"others": ("consent", 405), "stranger": ("talk", 405), "worker": ("talk", 405)},
    "consent": {"others": ("enter", "enter"), "stranger": ("talk", "talk"), "worker": ("talk", "talk")},
    "start_talk": {"others": ("enter", "enter"), "stranger": ("talk", "talk"), "worker": ("talk", "talk")},
    "leave": {"others": ("enter", "enter"), "stranger": (200, "thanks"), "worker": (200, "thanks")},
    "thanks": {"others": ("enter", 405), "stranger": ("talk", 405), "worker": ("talk", 405)},
    "talk": {"others": (404, 405), "worker": (200, 405)},
    "rate": {"others": (404, 404), "worker": ("talk", 409)},
    "serving": RESEARCH,
    "serving_live": RESEARCH,
    "studies": RESEARCH,
    "study": RESEARCH,
    "study_state": {"others": (405, "signed_out"), "researcher": (405, "study")},
    "talks": RESEARCH,
    "transcript": RESEARCH,
    "workers": RESEARCH,
    "judge_workers": {"others": (405, "signed_out"), "researcher": (405, "workers")},
    "carry_out_policy": {"others": ("signed_out", "signed_out"), "researcher": (200, 409)},
    "quality_policy": {"others": ("signed_out", "signed_out"), "researcher": (200, 409)},
    "decisions": RESEARCH,
    "decisions_file": RESEARCH,
    "worker": RESEARCH,
    "exclude_worker": {"others": (405, "signed_out"), "researcher": (405, 400)},
    "restore_worker": {"others": (405, "signed_out"), "researcher": (405, 400)},
    "approve_pay": {"others": (405, "signed_out"), "researcher": (405, 400)},
    "reject_pay": {"others": (405, "signed_out"), "researcher": (405, 400)},
    "confirm_rejection": {"others": (405, "signed_out"), "researcher": (405, 409)},
    "give_bonus": {"others": (405, "signed_out"), "researcher": (405, 400)},
    "exclusion_effects": RESEARCH,
    "worker_effect": RESEARCH,
    "quality_file": RESEARCH,
    "report": RESEARCH,
    "report_state": RESEARCH,
    "report_file": RESEARCH,
    "planner": RESEARCH,
    "planner_file": RESEARCH,
    "study_plan": {"others": ("signed_out", "signed_out"), "researcher": (200, 400)},
    "whole_report_file": RESEARCH,
    "report_folder_file": RESEARCH,
    "report_picture": {"others": ("signed_out", 405), "researcher": (404, 405)},
    "study_data": RESEARCH,
    "study_data_file": RESEARCH,
    "benchmarks": RESEARCH,
    "benchmarks_file": RESEARCH,
}
SENDABLE = [name for name, row in MATRIX.items() if any(sent != 405 for _, sent in row.values())]


def names(patterns: list[URLPattern | URLResolver]) -> Iterator[str]:
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            yield from names(pattern.url_patterns)
        else:
            yield str(pattern.name)


def path_of(name: str, talk: Conversation) -> str:
    """The route's address about this talk and its study."""
    slug = talk.participation.study.slug
    arguments = {
        "sign_in": ["x" * 43],
        "talk": [talk.pk],
        "rate": [talk.pk],
        "transcript": [slug, talk.pk],
        "worker": [slug, talk.participation_id],
        "exclude_worker": [slug, talk.participation_id],
        "restore_worker": [slug, talk.participation_id],
        "worker_effect": [slug, talk.participation_id],
        "approve_pay": [slug, talk.participation_id],
        "reject_pay": [slug, talk.participation_id],
        "confirm_rejection": [slug, talk.participation_id],
        "give_bonus": [slug, talk.participation_id],
        "report_file": [slug, "csv"],
        "whole_report_file": [slug, "html"],
        "report_folder_file": [slug, "csv"],
        "report_picture": [slug, "of-nothing", "svg"],
        "study_data_file": [slug, "jsonl"],
        "quality_file": [slug, "csv"],
        "benchmarks_file": ["csv"],
        "planner_file": ["csv"],
    }
    needs_none = name in (
        *("home", "signed_out", "sign_out", "healthz", "readyz"),
        *("studies", "benchmarks", "serving", "serving_live", "planner"),
    )
    return reverse(name, args=arguments.get(name, [] if needs_none else [slug]))


def told(answer: HttpResponse) -> Answer:
    if answer.status_code != 302:
        return answer.status_code
    return resolve(urlsplit(answer["Location"]).path).url_name


@pytest.fixture
def client_as(
    talk: Conversation, join: Callable[..., Participation], browser_of: Callable[..., Client]
) -> Callable[[str], Client]:
    """``client_as(role)``: a browser of that role, beside the worker whose talk it is."""

    def make(role: str) -> Client:
        if role == "worker":
            return browser_of(talk.participation.worker)
        if role == "stranger":
            stranger = join(talk.participation.study)
            client = browser_of(stranger.worker)
            client.post(reverse("start_talk", args=[stranger.study.slug]))
            return client
        client = Client()
        if role != "nobody":
            user = User.objects.create(username=role, is_staff=role != "user")
            client.force_login(user)
            User.objects.filter(pk=user.pk).update(is_active=role != "gone")
        return client

    return make


def test_every_route_is_in_the_table() -> None:
    assert set(names(get_resolver().url_patterns)) == set(MATRIX)


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("name", MATRIX)
def test_each_role_gets_what_the_table_says(
    name: str, role: str, talk: Conversation, client_as: Callable[[str], Client]
) -> None:
    client = client_as(role)
    expected = MATRIX[name].get(role, MATRIX[name]["others"])
    path = path_of(name, talk)
    assert (told(client.get(path)), told(client.post(path))) == expected


@pytest.mark.parametrize("role", [role for role in ROLES if role != "worker"])
def test_nobody_else_changes_a_worker_s_talk(
    role: str, talk: Conversation, client_as: Callable[[str], Client]
) -> None:
    client = client_as(role)
    for name in set(SENDABLE) - {"study_state"}:
        client.post(
            path_of(name, talk), {axis: "3" for axis in ("knowledge", "empathy", "personal", "overall")}
        )
    talk.refresh_from_db()
    talk.participation.refresh_from_db()
    assert talk.state == Conversation.State.CHATTING
    assert talk.participation.state == Participation.State.CONSENTED
    assert not talk.ratings.exists()


@pytest.mark.parametrize("name", SENDABLE)
def test_nothing_is_sent_without_the_page_s_token(
    name: str, talk: Conversation, browser_of: Callable[..., Client]
) -> None:
    client = browser_of(talk.participation.worker, enforce_csrf_checks=True)
    client.force_login(User.objects.create(username="ada", is_staff=True))
    answer = client.post(path_of(name, talk))
    assert answer.status_code == 403
    assert b"Nothing was sent" in answer.content


def test_a_talk_of_another_study_has_no_transcript_here(
    talk: Conversation, make_study: Callable[..., object], researcher: Client
) -> None:
    other = make_study()
    assert researcher.get(reverse("transcript", args=[other.slug, talk.pk])).status_code == 404


@pytest.mark.parametrize("name", MATRIX)
@pytest.mark.parametrize("role", ["worker", "researcher"])
def test_every_page_carries_its_headers(
    name: str, role: str, talk: Conversation, client_as: Callable[[str], Client]
) -> None:
    answer = client_as(role).get(path_of(name, talk))
    assert "no-store" in answer["Cache-Control"]
    assert answer["X-Frame-Options"] == "DENY"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Referrer-Policy"] == "same-origin"
    assert answer["Cross-Origin-Opener-Policy"] == "same-origin"
    policy = answer["Content-Security-Policy"]
    for rule in ("default-src 'none'", "script-src 'self';", "frame-ancestors 'none'", "base-uri 'none'"):
        assert rule in policy + ";"
    assert "require-trusted-types-for 'script'" in policy
    assert "unsafe" not in policy
