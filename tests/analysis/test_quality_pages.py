"""What exclusions change, as researchers see it, and the files."""

from __future__ import annotations

import json

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from ratings.models import Finding
from ratings.quality import policy

PAGE = "/studies/table7/workers/effects/"


@pytest.fixture
def researcher(client: Client, db: None) -> Client:
    client.force_login(User.objects.create_user("researcher", is_staff=True))
    return client


@pytest.fixture
def flagged(rated_study):
    """Two models, and a flagged worker who gives the first 5 and the second 1."""
    study = rated_study(models=["ConvAI2", "WoW"])
    for n in range(8):
        study.talk(f"fair {n}", 0, [3, 3, 3, 3])
        study.talk(f"fair {n}", 1, [3, 3, 3, 3])
    study.talk("liner", 0, [5, 5, 5, 5])
    study.talk("liner", 1, [1, 1, 1, 1])
    Finding.objects.create(
        participation=study.participation("liner", False),
        rule="shouting",
        rule_version=1,
        policy=policy.in_force(study.study),
        threshold=0.2,
        numbers={},
        places=[],
        found_at=timezone.now(),
    )
    return study


def test_the_page_tells_shifts_and_cells_before_and_after(researcher, flagged):
    text = researcher.get(PAGE).content.decode()
    assert "All rules that exclude" in text and "All capitals" in text
    assert "-0.22" in text  # from 29/9 to 3
    assert "<td>9</td><td>8</td>" in text


def test_a_rule_can_be_looked_at_alone(researcher, flagged):
    text = researcher.get(PAGE + "?left_out=excluded").content.decode()
    assert "Without “Excluded now”: 0 workers, 0 talks less" in text
    assert researcher.get(PAGE + "?left_out=nonsense").status_code == 200


def test_files_hold_the_same(researcher, flagged):
    answer = researcher.get("/studies/table7/workers/quality.json")
    assert answer["Content-Disposition"] == 'attachment; filename="table7-quality.json"'
    told = {each["variant"]: each for each in json.loads(answer.content)["effects"]}
    assert told["shouting"]["workers_left_out"] == 1
    assert researcher.get("/studies/table7/workers/quality.md").status_code == 200
    assert researcher.get("/studies/table7/workers/quality.exe").status_code == 404


def test_a_study_that_nobody_rated_has_a_page(researcher, rated_study):
    rated_study()
    assert researcher.get(PAGE).status_code == 200


def test_nothing_is_written_by_looking(researcher, flagged):
    before = list(Finding.objects.values())
    researcher.get(PAGE)
    assert list(Finding.objects.values()) == before


def test_a_worker_s_effect_is_told_by_cells_and_in_a_sentence(researcher, flagged):
    liner = flagged.participation("liner", False)
    address = f"/studies/table7/workers/{liner.pk}/effect/"
    told = "drops 2 talks; a mean changes by up to 0.22 (ConvAI2, knowledge); bold stays as it is"
    assert researcher.get(address, {"brief": "1"}).json() == {"text": told}
    text = researcher.get(address).content.decode()
    assert f"Excluding them {told}" in text and "<td>9</td><td>8</td>" in text
    page = researcher.get(f"/studies/table7/workers/{liner.pk}/").content.decode()
    assert f'data-effect="{address}"' in page


def test_a_worker_of_another_study_has_no_effect_here(researcher, flagged, make_study):
    liner, other = flagged.participation("liner", False), make_study()
    assert researcher.get(f"/studies/{other.slug}/workers/{liner.pk}/effect/").status_code == 404
