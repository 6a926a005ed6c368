"""Adopting a plan: in a draft alone, kept with every change, and what it does to the study."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, connection, transaction

from analysis.errors import AdoptionRefused
from analysis.models import StudyPlan
from analysis.planning import adoption, standing
from analysis.statistics.terms import Question
from chat import studies
from chat.models import Study
from ratings.models import Decision
from tests.analysis.planned_studies import adopt, draft, planned

pytestmark = pytest.mark.django_db


def test_a_draft_adopts_a_plan_and_its_models_get_their_targets() -> None:
    rated = draft()
    plan = adopt(rated)
    assert standing.plan_of(rated.study) == plan
    assert list(rated.study.arms.values_list("target", flat=True)) == [plan.talks_per_arm] * 2
    assert [plan.due_at(number) for number in range(1, 5)] == [
        -(-number * plan.talks_per_arm // 4) for number in range(1, 5)
    ]


@pytest.mark.parametrize("state", ["open", "paused", "closed"])
def test_a_study_that_was_opened_refuses_a_plan_in_words(state: str) -> None:
    rated = draft()
    Study.objects.filter(pk=rated.study.pk).update(state=state)
    with pytest.raises(AdoptionRefused, match=f"planned is {state}: .* in a draft alone"):
        adopt(rated)
    with pytest.raises(AdoptionRefused, match="in a draft alone"):
        adoption.withdraw(rated.study, actor="ada")
    assert not StudyPlan.objects.exists() and not Decision.objects.exists()


def test_every_change_is_a_version_and_a_decision() -> None:
    rated = draft()
    adopt(rated)
    second = adopt(rated, looks=2)
    assert (second.version, standing.plan_of(rated.study)) == (2, second)
    newest, oldest = Decision.objects.filter(act="plan").order_by("-pk")
    assert (newest.actor, newest.reason) == ("ada", "plan")
    assert oldest.details["before"] is None
    assert (newest.details["before"]["looks"], newest.details["after"]["looks"]) == (4, 2)
    assert newest.details["before"] == oldest.details["after"]


def test_a_plan_can_be_withdrawn_while_the_study_is_a_draft() -> None:
    rated = draft()
    adopt(rated)
    adoption.withdraw(rated.study, actor="ada", note="a pilot first")
    assert standing.plan_of(rated.study) is None
    assert Decision.objects.first().note == "a pilot first"
    with pytest.raises(AdoptionRefused, match="no plan that could be withdrawn"):
        adoption.withdraw(rated.study, actor="ada")


def test_the_models_of_the_plan_are_those_of_the_study() -> None:
    with pytest.raises(AdoptionRefused, match="for 3 models, the study has 2; plan for 2"):
        adopt(draft(), models=3)


def test_a_pair_of_three_models_is_named() -> None:
    rated = draft(["a", "b", "c"])
    with pytest.raises(AdoptionRefused, match="1: a; 2: b; 3: c"):
        adopt(rated, question=Question.ONE_PAIR)
    plan = adopt(rated, question=Question.ONE_PAIR, pair=(3, 1))
    assert (plan.first, plan.second) == (rated.arms[0], rated.arms[2])


def test_the_only_pair_of_two_models_needs_no_name() -> None:
    rated = draft()
    plan = adopt(rated, question=Question.ONE_PAIR)
    assert (plan.first, plan.second) == tuple(rated.arms)


def test_a_study_that_opens_keeps_its_plan() -> None:
    rated, plan = planned()
    studies.pause(rated.study)
    studies.open_study(rated.study)
    assert standing.plan_of(rated.study) == plan


def test_postgresql_refuses_a_plan_of_an_open_study() -> None:
    if connection.vendor != "postgresql":
        pytest.skip("SQLite's writers take turns, and the service reads the state in its turn")
    _, plan = planned()
    plan.pk, plan.version = None, 2
    with pytest.raises(IntegrityError, match="adopted before its study opens"), transaction.atomic():
        plan.save(force_insert=True)


def test_the_database_refuses_a_pair_without_its_question() -> None:
    rated = draft()
    plan = adopt(rated)
    plan.pk, plan.version, plan.first = None, 2, rated.arms[0]
    with pytest.raises(IntegrityError, match="plan_names_its_pair"), transaction.atomic():
        plan.save(force_insert=True)
