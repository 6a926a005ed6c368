"""The report's page and its downloads, through the site's own routes."""

from __future__ import annotations

import base64
import hashlib
import importlib.util
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from analysis.exports import FORMATS, format_named
from analysis.policy import PLOTLY_STYLE
from analysis.report import report_of
from chat.models import Conversation
from ratings.models import Rating

PAGE = "/studies/table7/report/"


@pytest.fixture
def researcher(client: Client, db: None) -> Client:
    client.force_login(User.objects.create_user("researcher", is_staff=True))
    return client


def strings(value: object) -> Iterator[str]:
    """Every text in what JSON holds."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for part in value.values() if isinstance(value, dict) else value:
            yield from strings(part)


def body(shown: str) -> str:
    """A page without the time at which it was made, and the token of its form."""
    return re.sub(r"<time.*?</time>|<input[^>]*csrf[^>]*>", "", shown)


def page(client: Client, address: str = PAGE) -> str:
    answer = client.get(address)
    assert answer.status_code == 200
    return answer.content.decode()


@pytest.mark.parametrize("address", [PAGE, PAGE + "table7.csv"])
def test_only_researchers_see_it(client: Client, rated_study, address: str) -> None:
    rated_study().fill(2)
    for user in (None, User.objects.create_user("somebody")):
        if user:
            client.force_login(user)
        answer = client.get(address)
        assert answer.status_code == 302
        assert answer.headers["Location"].startswith(reverse("signed_out"))


@pytest.mark.parametrize("address", [PAGE, PAGE + "table7.csv"])
def test_a_study_that_is_not_there_is_not_found(researcher: Client, address: str) -> None:
    assert researcher.get(address).status_code == 404


def test_the_page_shows_the_answer_and_every_cell(researcher: Client, rated_study) -> None:
    study = rated_study()
    study.fill(25)
    shown, table = page(researcher), report_of(study.study)
    assert "<h1" in shown and "on overall quality" in re.search(r"<h1[^>]*>(.*?)</h1>", shown)[1]
    for row in table.rows:
        for cell in row.cells:
            assert f"<small>{cell.interval_text}</small>" in shown
    assert shown.count('class="point"') == 32
    assert shown.count('<small class="ref">paper ') == 32


def test_bold_cells_are_marked_for_the_eye_and_for_readers(researcher: Client, rated_study) -> None:
    study = rated_study()
    study.fill(25)
    bold = sum(cell.bold for row in report_of(study.study).rows for cell in row.cells)
    shown = page(researcher)
    assert 4 <= bold < 32
    assert shown.count('class="cell num best"') == shown.count("(bold)") == bold


def test_simulated_data_is_marked_and_the_address_switches(researcher: Client, rated_study) -> None:
    study = rated_study()
    study.fill(3, simulated=True)
    marked = '<span class="tag warn">simulated</span>'
    assert marked in page(researcher)
    study.fill(3)
    assert marked not in page(researcher)
    assert marked in page(researcher, PAGE + "?population=simulated")
    assert "Simulated data" in page(researcher, PAGE + "?population=simulated")


def test_a_population_that_does_not_exist_is_a_bad_request(researcher: Client, rated_study) -> None:
    rated_study()
    assert researcher.get(PAGE + "?population=everybody").status_code == 400


def test_without_ratings_the_page_says_what_is_missing(researcher: Client, rated_study) -> None:
    rated_study()
    shown = page(researcher)
    assert "There are no ratings yet" in shown and "What is missing" in shown
    assert "plotly" not in shown.split("</head>")[1]


def test_with_one_rating_the_page_says_why_there_is_no_interval(researcher: Client, rated_study) -> None:
    rated_study().talk("ann", 0, [1, 2, 3, 4])
    shown = page(researcher)
    assert "Too few ratings to compare models" in shown
    assert "no interval: one rating" in shown


def test_names_are_text_and_never_markup(researcher: Client, rated_study) -> None:
    attack = "</script><img src=x onerror=alert(1)>"
    rated_study(models=[attack, "WoW"], title=attack).fill(3)
    shown = page(researcher)
    assert "<img src=x" not in shown
    figures = json.loads(re.search(r'<script id="figures"[^>]*>(.*?)</script>', shown, re.S)[1])
    texts = list(strings(figures))
    assert any("onerror" in text for text in texts)
    assert not [text for text in texts if re.search(r"<(?!br>|/?extra>)", text)]


def test_the_page_has_no_inline_style_and_no_inline_script(researcher: Client, rated_study) -> None:
    rated_study().fill(3)
    shown = page(researcher)
    assert not re.search(r"\sstyle=|<style|\son\w+=", shown)
    assert all("src=" in tag or "json" in tag for tag in re.findall(r"<script[^>]*>", shown))


def test_queries_do_not_grow_with_ratings(
    researcher: Client, rated_study, django_assert_max_num_queries
) -> None:
    study = rated_study()
    study.fill(2)
    with django_assert_max_num_queries(32) as first:  # on PostgreSQL, which is told of its memory
        page(researcher)
    study.fill(6, seed=2)
    with django_assert_max_num_queries(len(first)):
        page(researcher)


def test_the_page_can_ask_whether_it_is_still_the_last_word(researcher: Client, rated_study) -> None:
    study = rated_study()
    study.fill(2)
    shown = page(researcher)
    state, address = re.search(r'data-state="(\w+)" data-state-url="([^"]+)"', shown).groups()
    assert researcher.get(address).json() == {"state": state}
    study.fill(2, seed=2, simulated=True)
    assert researcher.get(address).json() == {"state": state}
    study.talk("one more", 0, [5, 5, 5, 5])
    assert researcher.get(address).json() != {"state": state}


def test_what_was_made_a_moment_ago_is_not_made_again(
    researcher: Client, rated_study, django_assert_max_num_queries
) -> None:
    study = rated_study()
    study.fill(3)
    whole = page(researcher)
    with django_assert_max_num_queries(11):
        assert body(page(researcher)) == body(whole)
    study.talk("one more", 0, [5, 5, 5, 5])
    assert body(page(researcher)) != body(whole)


# --- Downloads ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", FORMATS, ids=lambda form: form.name)
def test_a_download_is_what_the_command_prints(researcher: Client, rated_study, form) -> None:
    study = rated_study()
    study.fill(3)
    answer = researcher.get(reverse("report_file", args=["table7", form.ending]))
    assert answer.content.decode() == form.render(report_of(study.study))
    assert answer.headers["Content-Disposition"] == f'attachment; filename="table7-table7.{form.ending}"'
    assert answer.headers["Content-Type"] == form.media_type
    assert "no-store" in answer.headers["Cache-Control"]


def test_a_download_of_simulated_data_says_so_in_its_name(researcher: Client, rated_study) -> None:
    rated_study().fill(3, simulated=True)
    answer = researcher.get(PAGE + "table7.md?population=simulated")
    assert 'filename="table7-table7-simulated.md"' in answer.headers["Content-Disposition"]
    assert "(simulated data)" in answer.content.decode()


def test_the_pages_links_download_the_population_it_shows(researcher: Client, rated_study) -> None:
    rated_study().fill(3, simulated=True)
    links = re.findall(r'download href="([^"]+)"', page(researcher))
    assert len({link.partition("?")[0] for link in links}) == len(links) > 6 + len(FORMATS) + 2 * 16
    assert all("population=simulated" in link and researcher.get(link).status_code == 200 for link in links)


def test_an_unknown_kind_of_file_is_not_found(researcher: Client, rated_study) -> None:
    rated_study()
    assert researcher.get(PAGE + "table7.xlsx").status_code == 404


def test_looking_changes_nothing(researcher: Client, rated_study) -> None:
    rated_study().fill(2)
    before = list(Rating.objects.values()), list(Conversation.objects.values())
    page(researcher)
    researcher.get(PAGE + "table7.json")
    assert (list(Rating.objects.values()), list(Conversation.objects.values())) == before
    assert researcher.post(PAGE).status_code == 405


# --- plotly under the content policy ------------------------------------------------------------------------


def directives(answer) -> dict[str, str]:
    policy = answer.headers["Content-Security-Policy"]
    return dict(part.strip().partition(" ")[::2] for part in policy.split(";"))


def test_only_the_reports_policy_lets_plotly_in_and_only_by_hash(researcher: Client, rated_study) -> None:
    rated_study().fill(2)
    report, file = directives(researcher.get(PAGE)), directives(researcher.get(PAGE + "table7.csv"))
    assert report["style-src"].split() == ["'self'", PLOTLY_STYLE]
    assert report["img-src"].split() == ["'self'", "data:", "blob:"]
    assert file["style-src"] == file["img-src"] == "'self'"
    assert report["script-src"] == "'self'" and report["require-trusted-types-for"] == "'script'"


@pytest.fixture(scope="module")
def plotly() -> str:
    package = importlib.util.find_spec("plotly")
    assert package and package.origin
    return (Path(package.origin).parent / "package_data" / "plotly.min.js").read_text(encoding="utf-8")


def test_the_policys_hash_is_that_of_the_style_sheet_plotly_puts_into_the_page(plotly: str) -> None:
    sheets = re.findall(r"\.textContent='((?:[^'\\]|\\.)*)'", plotly)
    texts = [re.sub(r"\\(.)", r"\1", sheet) for sheet in sheets if sheet.startswith(".")]
    assert len(texts) == 1
    digest = base64.b64encode(hashlib.sha256(texts[0].encode()).digest()).decode()
    assert f"'sha256-{digest}'" == PLOTLY_STYLE


def test_plotlys_other_style_sheet_is_ours_by_its_id(researcher: Client, rated_study, plotly: str) -> None:
    rated_study().fill(2)
    assert re.search(r'"plotly\.js-style-"\+\w+', plotly) and '("global",' in plotly
    assert plotly.count('document.createElement("style")') == 2
    assert re.search(r'<link rel="stylesheet" id="plotly\.js-style-global"', page(researcher))


def test_format_names_and_file_endings_find_the_same_format() -> None:
    assert format_named("latex") is format_named("tex")
