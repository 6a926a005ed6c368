"""The pages of planning, through the site's own routes."""

from __future__ import annotations

import io
import json
import re

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client

from analysis.models import StudyPlan
from analysis.planning import looks, standing
from chat import studies
from tests.analysis.planned_studies import adopt, draft, hold, planned

PAGE, OF_STUDY = "/planning/", "/studies/planned/plan/"
pytestmark = pytest.mark.django_db


@pytest.fixture
def researcher(client: Client) -> Client:
    client.force_login(User.objects.create_user("ada", is_staff=True))
    return client


def page(client: Client, address: str, status: int = 200) -> str:
    answer = client.get(address)
    assert answer.status_code == status
    return answer.content.decode()


def test_the_page_says_what_the_command_says(researcher: Client) -> None:
    shown = page(researcher, PAGE + "?models=8&looks=5&pay=1.5&talks_a_day=120")
    out = io.StringIO()
    call_command("plan", "--models", "8", "--looks", "5", "--pay", "1.5", "--talks-a-day", "120", stdout=out)
    answer = out.getvalue().splitlines()[0]
    assert answer in shown
    assert "manage.py plan --models 8 --looks 5 --pay 1.5 --talks-a-day 120" in shown
    figures = json.loads(re.search(r'<script id="figures"[^>]*>(.*?)</script>', shown, re.S)[1])
    wanted, planned, curve = figures["power"]["data"]
    assert planned["x"] == [303, 303] and curve["y"][curve["x"].index(303)] >= wanted["y"][0] == 0.8


@pytest.mark.parametrize("ending", ["txt", "md", "json", "csv"])
def test_a_download_is_what_the_command_prints(researcher: Client, ending: str) -> None:
    form = {"txt": "text", "md": "markdown"}.get(ending, ending)
    out = io.StringIO()
    call_command("plan", "--models", "3", "--format", form, stdout=out)
    answer = researcher.get(f"/planning/plan.{ending}?models=3")
    assert answer.content.decode() == out.getvalue()
    assert answer.headers["Content-Disposition"] == f'attachment; filename="plan.{ending}"'


def test_the_curve_downloads_as_pictures(researcher: Client) -> None:
    shown = page(researcher, PAGE + "?models=3")
    out = io.StringIO()
    call_command("plan", "--models", "3", "--format", "svg", stdout=out)
    for ending, kind in (("svg", "image/svg+xml"), ("png", "image/png")):
        assert f'href="/planning/plan.{ending}?' in shown
        answer = researcher.get(f"/planning/plan.{ending}?models=3")
        assert answer.headers["Content-Type"] == kind
        assert ending == "png" or answer.content.decode() == out.getvalue()


def test_an_unknown_file_and_an_impossible_plan_are_not_found(researcher: Client) -> None:
    assert researcher.get("/planning/plan.xlsx").status_code == 404
    assert researcher.get("/planning/plan.csv?power=7").status_code == 404


def test_every_fault_stands_beside_its_field(researcher: Client) -> None:
    query = "?difference=x&power=2&looks=1.5&models=&question=why&spread=study:none&icc=2&talks_a_day=nan"
    shown = page(researcher, PAGE + query, 400)
    for name in ("difference", "power", "looks", "models", "question", "spread", "icc", "talks_a_day"):
        assert f'id="{name}-error"' in shown and f'<a href="#{name}">' in shown
    assert "“x” is no number." in shown and "“1.5” is no whole number." in shown
    assert "<title>Error: " in shown and "plotly.min.js" not in shown


def test_a_spread_by_hand_needs_both_numbers(researcher: Client) -> None:
    shown = page(researcher, PAGE + "?spread=hand&sd=1.1", 400)
    assert 'id="icc-error"' in shown and 'id="sd-error"' not in shown
    assert "(given)" in page(researcher, PAGE + "?spread=hand&sd=1.1&icc=.2")


def test_a_study_with_talks_is_a_pilot(researcher: Client, rated_study) -> None:
    rated = rated_study(slug="pilot", models=["a", "b"])
    assert "study:pilot" not in page(researcher, PAGE)
    hold(rated, 20, [3, 3.5])
    assert "study pilot: 40 ratings on overall by 10 workers" in page(
        researcher, PAGE + "?spread=study:pilot"
    )


@pytest.mark.parametrize(
    "value", ["1e400", "-1", "\0", "９", "1e-320", "<script>", "9" * 500, "1_000_000_000_0"]
)
def test_no_value_breaks_the_page(researcher: Client, value: str) -> None:
    for name in (
        "difference",
        "sd",
        "icc",
        "talks_a_worker",
        "models",
        "alpha",
        "power",
        "looks",
        "pay",
        "spread",
    ):
        answer = researcher.get(PAGE, {name: value})
        assert answer.status_code in (200, 400)
        assert b"<script>" not in answer.content


# --- A study ------------------------------------------------------------------------------------------------------


def test_a_draft_adopts_what_it_shows(researcher: Client) -> None:
    rated = draft(["a", "b", "c"])
    shown = page(researcher, OF_STUDY + "?looks=3&difference=.5")
    assert "Adopt this plan" in shown and 'name="models"' in shown
    sent = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', shown))
    answer = researcher.post(OF_STUDY, sent | {"act": "adopt", "on_stop": "close", "note": "worth it"})
    assert answer.headers["Location"] == OF_STUDY + "?adopted=1"
    plan = standing.plan_of(rated.study)
    assert plan and (plan.looks, plan.difference, plan.on_stop, plan.adopted_by) == (3, 0.5, "close", "ada")
    assert rated.study.decisions.get().note == "worth it"
    after = page(researcher, answer.headers["Location"])
    assert "Version 1 was adopted." in after
    assert 'id="difference" name="difference" inputmode="decimal" autocomplete="off" value="0.5"' in after


def test_a_pair_is_chosen_on_the_page(researcher: Client) -> None:
    rated = draft(["a", "b", "c"])
    assert "One of the pair" in page(researcher, OF_STUDY + "?question=one_pair")
    sent = {"question": "one_pair", "act": "adopt", "first": "1", "second": "1"}
    answer = researcher.post(OF_STUDY, sent)
    assert answer.status_code == 409 and "by the places of two models" in answer.content.decode()
    researcher.post(OF_STUDY, sent | {"second": "3"})
    plan = standing.plan_of(rated.study)
    assert plan and (plan.first, plan.second) == (rated.arms[0], rated.arms[2])


def test_a_plan_is_withdrawn_on_the_page(researcher: Client) -> None:
    rated = draft()
    adopt(rated)
    answer = researcher.post(OF_STUDY, {"act": "withdraw"})
    assert "The plan was withdrawn" in page(researcher, answer.headers["Location"])
    assert standing.plan_of(rated.study) is None


def test_an_open_study_refuses_adoption_in_words(researcher: Client) -> None:
    rated = draft()
    studies.open_study(rated.study)
    shown = page(researcher, OF_STUDY)
    assert "Adopt this plan" not in shown and "this study is open" in shown
    answer = researcher.post(OF_STUDY, {"act": "adopt"})
    assert answer.status_code == 409 and "planned is open: a plan counts" in answer.content.decode()
    assert not StudyPlan.objects.exists()


def test_an_impossible_plan_is_not_adopted(researcher: Client) -> None:
    draft()
    answer = researcher.post(OF_STUDY, {"act": "adopt", "power": "3"})
    assert answer.status_code == 400 and 'id="power-error"' in answer.content.decode()
    assert not StudyPlan.objects.exists()


def test_a_study_shows_its_looks_and_limits_for_now(researcher: Client) -> None:
    rated, plan = planned(on_stop="close")
    hold(rated, plan.due_at(1), [3, 3])
    looks.take_due(rated.study)
    hold(rated, plan.due_at(2) - plan.due_at(1), [1.5, 4.6])
    taken = looks.take_due(rated.study)
    shown = page(researcher, OF_STUDY)
    assert "Look 2 answered the question: WoW is the best. The study closed itself." in shown
    assert taken and f"{taken.limit:.3f}" in shown
    assert "If you look now" in shown and "Limits that hold at any time" in shown


def test_a_study_of_one_model_says_so(researcher: Client) -> None:
    draft(["a"])
    assert "The study has 1 model; a plan compares at least 2." in page(researcher, OF_STUDY)


def test_the_decisions_tell_of_plan_and_stop(researcher: Client) -> None:
    rated, plan = planned(on_stop="close")
    hold(rated, plan.due_at(2), [1.5, 4.6])
    looks.take_due(rated.study)
    shown = page(researcher, "/studies/planned/workers/decisions/")
    assert "Adopted a plan" in shown and "Closed the study" in shown and "the study&#x27;s plan" in shown


def test_names_are_text_and_never_markup(researcher: Client) -> None:
    attack = "</script><img src=x onerror=alert(1)>"
    rated = draft([attack, "b"])
    plan = adopt(rated)
    studies.open_study(rated.study)
    hold(rated, plan.due_at(1), [3, 4])
    looks.take_due(rated.study)
    assert "<img src=x" not in page(researcher, OF_STUDY)


def test_queries_do_not_grow_with_ratings(researcher: Client, django_assert_max_num_queries) -> None:
    rated, _ = planned()
    for talks in (5, 20):
        hold(rated, talks, [3, 4], seed=talks)
        with django_assert_max_num_queries(20):
            page(researcher, OF_STUDY)
