"""Policies and decisions: checked, carried out, undone, and never changed."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, transaction

from chat import studies
from chat.models import Arm, Study
from ratings.errors import DecisionRefused, PolicyRefused
from ratings.models import Decision, Policy
from ratings.quality import decisions, judging, policy
from ratings.quality.catalogue import RULES, Act

from .conftest import LINES

pytestmark = pytest.mark.django_db
SHORT = [["ok", "yes", "no", "fine"]]


def test_a_study_that_opens_has_declared_a_policy_before_anybody_talks(study: Study) -> None:
    Study.objects.filter(pk=study.pk).update(state=Study.State.DRAFT)
    studies.open_study(study)
    declared = study.policies.get()
    assert (declared.version, declared.declared_before) == (1, True)
    assert declared.rules["short_messages"] == {"act": "exclude", "threshold": 0.5}
    studies.open_study(study)
    assert study.policies.count() == 1


def test_a_later_version_says_after_how_many_talks_it_came(worked) -> None:
    study = worked().study
    newer = policy.declare(
        study, {"shouting": {"threshold": 0.4, "act": "review"}}, actor="ada", note="pilot"
    )
    assert (newer.version, newer.after_talks, newer.declared_before) == (1, 1, False)
    assert policy.in_force(study) == newer
    assert newer.rules["shouting"] == {"act": "review", "threshold": 0.4}
    newest = policy.declare(study, {"shouting": {"threshold": 0.5}}, actor="ada")
    assert (newest.version, newest.rules["shouting"]) == (2, {"act": "review", "threshold": 0.5})


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"no_rule": {}}, "no rule 'no_rule'"),
        ({"shouting": {"act": "punish"}}, "none of exclude, review, off"),
        ({"pasted_text": {"act": "exclude"}}, "too often to exclude"),
        ({"shouting": {"threshold": 1.5}}, "choose from 0 to 1"),
        ({"shouting": {"threshold": "much"}}, "'much' is no number"),
        ({"shouting": {"threshold": "nan"}}, "choose from 0 to 1"),
        ({"same_answer_everywhere": {"threshold": 2}}, "choose from 3"),
        ({"shouting": {"version": 7}}, "version cannot be set"),
    ],
)
def test_what_cannot_be_declared_is_refused(study: Study, changes, said: str) -> None:
    with pytest.raises(PolicyRefused, match=said):
        policy.declare(study, changes, actor="ada")
    assert not Policy.objects.exists()


def test_every_rule_stands_in_the_default_policy_with_its_reason() -> None:
    assert set(policy.defaults()) == {rule.name for rule in RULES}
    assert all(rule.why and rule.asks and rule.low <= rule.threshold <= rule.high for rule in RULES)
    assert not [rule for rule in RULES if rule.review_only and rule.act is Act.EXCLUDE]


def test_a_decision_keeps_the_findings_it_rested_on(worked) -> None:
    person = worked(SHORT)
    judging.judge_study(person.study, simulated=False)
    decision = decisions.exclude(person, reason="writing", actor="ada", note="see the messages")
    person.refresh_from_db()
    assert person.excluded_at
    assert (decision.act, decision.reason, decision.actor) == ("exclude", "writing", "ada")
    assert decision.details["moved"] == {"talks": 1, "slots": 1}
    assert [each["rule"] for each in decision.details["findings"]] == ["short_messages"]


def test_an_exclusion_is_undone_with_a_reason(worked) -> None:
    person = worked(SHORT)
    decisions.exclude(person, reason="writing", actor="ada")
    decisions.restore(person, reason="mistake", actor="bob")
    person.refresh_from_db()
    assert person.excluded_at is None
    assert list(Decision.objects.exclude(act="declare").values_list("act", "actor")) == [
        ("restore", "bob"),
        ("exclude", "ada"),
    ]


@pytest.mark.parametrize(
    ("reason", "note", "said"),
    [("", "", "choose one of"), ("mistake", "", "choose one of"), ("other", "  ", "in a few words")],
)
def test_a_reason_is_needed(worked, reason: str, note: str, said: str) -> None:
    person = worked()
    with pytest.raises(DecisionRefused, match=said):
        decisions.exclude(person, reason=reason, note=note, actor="ada")
    person.refresh_from_db()
    assert person.excluded_at is None


def test_the_policy_names_those_whom_an_excluding_rule_flags(worked) -> None:
    short = worked(SHORT)
    greeter = worked([["Hi there, how are you?", *LINES]])
    judging.judge_study(short.study, simulated=False)
    assert greeter.findings.filter(rule="greeting_openings").exists()
    assert decisions.due_for_exclusion(short.study, simulated=False) == [short]
    made = decisions.carry_out(short.study, simulated=False, actor="ada")
    assert [each.participation for each in made] == [short]
    assert decisions.due_for_exclusion(short.study, simulated=False) == []
    assert sum(Arm.objects.values_list("taken", flat=True)) == 1


@pytest.mark.parametrize("model", [Policy, Decision])
def test_policies_and_decisions_are_never_changed(worked, model) -> None:
    decisions.exclude(worked(), reason="ratings", actor="ada")
    for change in (lambda: model.objects.update(study=None), lambda: model.objects.all().delete()):
        with pytest.raises(IntegrityError), transaction.atomic():
            change()
