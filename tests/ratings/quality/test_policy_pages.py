"""The researcher's pages of a study's policy and of everything that was decided."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse

from chat.models import Participation, Study
from ratings import policy_views
from ratings.models import Decision, Policy
from ratings.quality import decisions, history, policy

from .conftest import LINES

pytestmark = pytest.mark.django_db


def page_of(client: Client, name: str, study: Study, **query: str) -> str:
    return client.get(reverse(name, args=[study.slug]), query).content.decode()


# --- The policy ---------------------------------------------------------------------------------------------------


def fields(page: str) -> dict[str, str]:
    """What the form would send as it stands."""
    found = dict(re.findall(r'<input[^>]* name="([\w-]+)"[^>]* value="([^"]*)"', page))
    for name, options in re.findall(r'<select[^>]* name="([\w-]+)"[^>]*>(.*?)</select>', page):
        found |= dict.fromkeys([name], *re.findall(r'value="(\w*)" selected', options))
    return found


def declare(client: Client, study: Study, **changes: str):
    address = reverse("quality_policy", args=[study.slug])
    sent = fields(client.get(address).content.decode()) | {
        k.replace("__", "-"): v for k, v in changes.items()
    }
    return client.post(address, sent)


def test_before_one_is_declared_the_default_rules_are_shown(study: Study, researcher: Client) -> None:
    page = page_of(researcher, "quality_policy", study)
    assert "Policy, not declared yet" in page
    sent = fields(page)
    assert {name: sent[f"{name}-act"] for name in policy.defaults()} == {
        name: each["act"] for name, each in policy.defaults().items()
    }
    assert not Policy.objects.exists()


def test_a_new_version_is_declared_with_what_was_changed(study: Study, researcher: Client) -> None:
    policy.in_force(study)
    answer = declare(researcher, study, shouting__threshold="0.3", repeating__act="review", note="the pilot")
    newest = study.policies.last()
    assert newest.rules == policy.defaults() | {
        "shouting": {"act": "exclude", "threshold": 0.3},
        "repeating": {"act": "review", "threshold": 0.2},
    }
    page = researcher.get(answer["Location"]).content.decode()
    assert "Version 2 is declared" in page and "“the pilot”" in page
    assert "All capitals: 30 % of messages, before 20 % of messages" in page
    assert "Repeats: review, before exclude" in page


def test_a_version_tells_what_it_changed_of_the_one_before(study: Study) -> None:
    policy.declare(study, {"shouting": {"threshold": 0.3}}, actor="ada")
    policy.declare(study, {"repeating": {"act": "review"}}, actor="bob")
    assert [(each.policy.version, each.changes) for each in history.versions(study)] == [
        (2, ("Repeats: review, before exclude",)),
        (1, ("All capitals: 30 % of messages, before 20 % of messages",)),
    ]


def test_bad_input_is_told_at_each_field_and_nothing_is_lost(study: Study, researcher: Client) -> None:
    answer = declare(
        *(researcher, study),
        shouting__threshold="much",
        talk_time__threshold="7",
        repeating__act="off",
        note="why",
    )
    page = answer.content.decode()
    assert answer.status_code == 400
    assert 'id="shouting-error">shouting: &#x27;much&#x27; is no number.' in page
    assert 'id="talk_time-error">talk_time: 7 share of the study&#x27;s median; choose from 0 to 1.' in page
    sent = fields(page)
    assert (sent["shouting-threshold"], sent["talk_time-threshold"], sent["repeating-act"]) == (
        "much",
        "7",
        "off",
    )
    assert ">why</textarea>" in page and "<title>Error: " in page
    assert not Policy.objects.exists()


def test_a_rule_that_flags_honest_workers_cannot_be_made_to_exclude(study: Study, researcher: Client) -> None:
    page = page_of(researcher, "quality_policy", study)
    offered = re.search(r'name="pasted_text-act".*?</select>', page)
    assert offered and "exclude" not in offered[0]
    answer = declare(researcher, study, pasted_text__act="exclude")
    assert "too often to exclude anybody" in answer.content.decode()
    assert not Policy.objects.exists()


def test_what_changes_nothing_is_not_declared(study: Study, researcher: Client) -> None:
    policy.in_force(study)
    answer = declare(researcher, study, note="nothing")
    assert answer.status_code == 400
    assert "Nothing differs from version 1." in answer.content.decode()
    assert study.policies.count() == 1


def test_a_version_that_came_meanwhile_is_not_overwritten(study: Study, researcher: Client) -> None:
    policy.in_force(study)
    answer = declare(researcher, study, version="0", shouting__threshold="0.4")
    assert answer.status_code == 409
    assert fields(answer.content.decode())["shouting-threshold"] == "0.4"
    assert study.policies.count() == 1


def test_talks_that_were_begun_are_warned_of_and_counted(worked, researcher: Client) -> None:
    study = worked([LINES, LINES]).study
    assert "2 talks were begun already." in page_of(researcher, "quality_policy", study)
    declare(researcher, study, shouting__threshold="0.3")
    assert 'tag warn">after 2 talks' in page_of(researcher, "quality_policy", study)


# --- The record ---------------------------------------------------------------------------------------------------


@pytest.fixture
def people(worked: Callable[..., Participation]) -> list[Participation]:
    """Four workers of one study with a declared policy."""
    found = [worked() for _ in range(4)]
    policy.in_force(found[0].study)
    return found


def test_every_decision_is_listed_newest_first(people: list[Participation], researcher: Client) -> None:
    person = people[0]
    decisions.exclude(person, reason="writing", actor="ada", note="<b>short</b>")
    decisions.restore(person, reason="appeal", actor="bob")
    page = page_of(researcher, "decisions", person.study)
    assert re.findall(r"<td>(Restored|Excluded|Declared)", page) == ["Restored", "Excluded", "Declared"]
    assert "Writing that is no conversation: “&lt;b&gt;short&lt;/b&gt;”" in page


def test_the_record_has_pages(
    people: list[Participation], researcher: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(policy_views, "DECISIONS_PER_PAGE", 1)
    decisions.exclude(people[0], reason="writing", actor="ada")
    page = page_of(researcher, "decisions", people[0].study, page="2")
    assert "Declared a policy" in page and "Page 2 of 2" in page


def test_the_record_costs_the_same_queries_however_long_it_is(
    people: list[Participation], researcher: Client, django_assert_num_queries
) -> None:
    for person in people:
        decisions.exclude(person, reason="writing", actor="ada")
    with django_assert_num_queries(5):
        page_of(researcher, "decisions", person.study)


@pytest.mark.parametrize("note", ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "  =1"])
def test_a_spreadsheet_runs_nothing_of_the_file(note: str, worked, researcher: Client) -> None:
    person = worked([LINES])
    Decision.objects.create(
        study=person.study, participation=person, act="exclude", reason="other", note=note, actor="=ada"
    )
    text = page_of(researcher, "decisions_file", person.study)
    (line,) = csv.DictReader(io.StringIO(text, newline=""))
    assert (line["note"], line["actor"]) == (f"'{note}", "'=ada")
    assert (line["worker"], line["act"], line["population"]) == (str(person.worker_id), "exclude", "people")
