"""``manage.py quality``: what it tells in each format, and what it does when asked."""

from __future__ import annotations

import csv
import io
import json

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from chat.models import Message
from ratings.models import Decision

pytestmark = pytest.mark.django_db
LINES = [
    "I was at the sea all day.",
    "It was cold but lovely.",
    "Do you swim at all?",
    "My sister never does.",
]


@pytest.fixture
def judged(rated_study):
    """Six workers of three talks with two models; one of them shouts."""
    study = rated_study(models=["ConvAI2", "WoW"])
    study.fill(9, workers=6)
    for (name, _), person in study.people.items():
        for talk in person.conversations.all():
            Message.objects.bulk_create(
                Message(
                    conversation=talk,
                    position=2 * n + 1,
                    speaker="worker",
                    text=line.upper() if name == "1-0" else line,
                )
                for n, line in enumerate(LINES)
            )
    return study


def run(study, *options: str) -> str:
    out = io.StringIO()
    call_command(
        "quality", "--study", study.study.slug, "--seeds", "2", *options, stdout=out, stderr=io.StringIO()
    )
    return out.getvalue()


def shouter(study) -> str:
    return str(study.participation("1-0", False).worker_id)


def test_json_tells_rules_workers_and_effects(judged):
    told = json.loads(run(judged, "--format", "json"))
    assert (told["schema"], told["population"], told["workers_judged"]) == ("colloquy.quality/1", "people", 6)
    rules = {rule["rule"]: rule for rule in told["rules"]}
    assert (rules["shouting"]["flagged"], rules["shouting"]["threshold"]) == (1, 0.2)
    assert rules["same_answer_everywhere"]["expected_false_flags"] < 1
    assert rules["shouting"]["false_positive_rate"] == 0
    assert rules["shouting"]["honest_workers_simulated"] == 12
    [worker] = [each for each in told["workers"] if each["worker"] == shouter(judged)]
    [finding] = [each for each in worker["findings"] if each["rule"] == "shouting"]
    assert finding["numbers"]["share"] == 1
    assert len(finding["places"]) == finding["numbers"]["found"]
    effect = {each["variant"]: each for each in told["effects"]}["shouting"]
    assert effect["workers_left_out"] == 1
    assert len(effect["cells"]) == 8


def test_csv_has_a_line_a_finding(judged):
    rows = list(csv.DictReader(io.StringIO(run(judged, "--format", "csv"))))
    assert [
        row["rule"] for row in rows if row["worker"] == shouter(judged) and row["rule"] == "shouting"
    ] == ["shouting"]


def test_markdown_tells_what_leaving_them_out_changes(judged):
    told = run(judged)
    assert "declared after 18 talks were begun" in told
    assert "| All capitals | exclude | 0.2 share of messages | 1 |" in told
    assert "| All rules that exclude | 1 |" in told


def test_the_policys_workers_are_excluded_and_one_is_brought_back(judged):
    told = json.loads(run(judged, "--apply", "--format", "json"))
    assert told["workers_excluded"] == 1
    assert Decision.objects.filter(act="exclude", reason="policy").count() == 1
    told = json.loads(run(judged, "--restore", shouter(judged)[:8], "--reason", "appeal", "--format", "json"))
    assert told["workers_excluded"] == 0


def test_one_worker_is_excluded_with_a_reason(judged):
    run(judged, "--exclude", shouter(judged), "--reason", "writing", "--note", "see above")
    assert Decision.objects.get(act="exclude").note == "see above"


def test_a_policy_is_declared(judged):
    told = json.loads(
        run(judged, "--declare", "shouting=review:0.3", "--declare", "repeating=off", "--format", "json")
    )
    rules = {rule["rule"]: rule for rule in told["rules"]}
    assert (rules["shouting"]["act"], rules["shouting"]["threshold"]) == ("review", 0.3)
    assert "repeating" not in rules


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--exclude", "nobody", "--reason", "writing"], "names none or several"),
        (["--declare", "shouting=7"], "choose from 0 to 1"),
        (["--declare", "pasted_text=exclude"], "too often to exclude"),
        (["--apply", "--simulated"], None),
    ],
)
def test_what_cannot_be_done_is_said_in_a_sentence(judged, options, said):
    if said is None:
        assert "0 workers judged" in run(judged, *options)
        return
    with pytest.raises(CommandError, match=said):
        run(judged, *options)


def test_a_reason_is_needed(judged):
    with pytest.raises(CommandError, match="choose one of"):
        run(judged, "--exclude", shouter(judged))


def test_of_simulated_workers_it_tells_who_was_planted_and_found(rated_study):
    study = rated_study(models=["ConvAI2", "WoW"])
    study.fill(9, workers=6, simulated=True)
    for n, person in enumerate(study.people.values()):
        person.worker.behaviour = "honest" if n else "shouter"
        person.worker.save()
        for talk in person.conversations.all():
            Message.objects.bulk_create(
                Message(
                    conversation=talk,
                    position=2 * m + 1,
                    speaker="worker",
                    text=line if n else line.upper(),
                )
                for m, line in enumerate(LINES)
            )
    told = json.loads(run(study, "--format", "json"))
    planted = {each["behaviour"]: each for each in told["planted"]}
    assert (told["population"], planted["honest"]["workers"], planted["shouter"]["workers"]) == (
        "simulated",
        5,
        1,
    )
    assert planted["shouter"]["by_rule"]["shouting"] == planted["shouter"]["found"] == 1
