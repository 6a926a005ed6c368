"""What the pages of workers are told, against what the services say and against plain counting."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from chat.models import Conversation
from ratings.models import Finding, Judgement, Policy, StudyNorms
from ratings.quality import board, decisions, judging, policy
from ratings.quality.board import Show, Spread
from ratings.quality.due import mark_due

from .conftest import LINES

pytestmark = pytest.mark.django_db
SHORT = [["ok", "yes", "no", "fine"]]


def test_due_are_those_whom_the_service_would_exclude(worked) -> None:
    people = [worked(SHORT), worked(), worked(SHORT), worked([["Hi you there", *LINES]]), worked(SHORT)]
    study = people[0].study
    judging.judge_study(study, simulated=False)
    decisions.exclude(people[2], reason="writing", actor="ada")
    people[4].findings.update(cleared_at=timezone.now())
    due = board.workers(policy.held(study), simulated=False, show=Show.DUE)
    assert list(due) == decisions.due_for_exclusion(study, simulated=False) == [people[0]]
    people[2].refresh_from_db()
    assert [row.is_due for row in board.rows(people, policy.held(study))] == [
        True,
        False,
        False,
        False,
        False,
    ]


def test_who_is_due_changes_with_the_policy(worked) -> None:
    person = worked(SHORT)
    judging.judge_study(person.study, simulated=False)
    policy.declare(person.study, {"short_messages": {"act": "review"}}, actor="ada")
    assert board.counts(policy.held(person.study), simulated=False).due == 0
    (row,) = board.rows([person], policy.held(person.study))
    assert [(tag.rule, tag.excludes) for tag in row.tags] == [("short_messages", False)]


def test_looking_declares_no_policy(worked) -> None:
    study = worked().study
    held = policy.held(study)
    assert (held.pk, held.rules) == (None, policy.defaults())
    assert list(board.workers(held, simulated=False))
    assert not Policy.objects.exists()


def test_counts_are_of_one_population(worked) -> None:
    people = [worked(SHORT), worked(), worked()]
    worked(SHORT, simulated_as="short_writer")
    study = people[0].study
    judging.judge_study(study, simulated=False)
    decisions.exclude(people[1], reason="ratings", actor="ada")
    mark_due(people[2].pk)
    counts = board.counts(policy.held(study), simulated=False)
    assert counts == board.Counts(workers=3, judged=3, waiting=1, flagged=1, due=1, excluded=1)
    assert board.populations(study) == {"people": 3, "simulated": 1}


def test_who_never_began_a_talk_is_listed_only_when_excluded(study, join) -> None:
    gone, _ = join(study), join(study)
    decisions.exclude(gone, reason="accounts", actor="ada")
    assert list(board.workers(policy.held(study), simulated=False)) == [gone]


def test_times_are_medians_over_finished_talks(worked) -> None:
    person = worked([LINES] * 4)
    for talk, (seconds, last) in zip(
        person.conversations.order_by("ordinal"), [(60, 4), (100, 10), (1000, 4), (9, 2)], strict=True
    ):
        ended = talk.started_at + timedelta(seconds=seconds)
        Conversation.objects.filter(pk=talk.pk).update(ended_at=ended, last_position=last)
    person.conversations.filter(ordinal=4).update(state=Conversation.State.ABANDONED)
    (row,) = board.rows([person], policy.held(person.study))
    # A message took 30, 20 and 500 seconds.
    assert (row.talks, row.messages, row.talk_s, row.message_s) == (3, 9, 100, 30)


def test_a_spread_counts_each_score_and_draws_the_highest_whole() -> None:
    spread = Spread((0, 2, 5, 1, 0))
    assert str(spread) == "8 ratings: 0 × 1, 2 × 2, 5 × 3, 1 × 4, 0 × 5"
    assert spread.bars == [(0, 5, 0), (1, 3, 2), (2, 0, 5), (3, 4, 1), (4, 5, 0)]


def test_a_rule_counts_workers_and_not_findings(worked) -> None:
    person = worked([LINES, LINES], heard="I am a language model.")
    judging.judge_study(person.study, simulated=False)
    lines = board.rule_lines(policy.held(person.study), {"unblinded": 0.5}, simulated=False)
    assert Finding.objects.count() == 2
    assert [(line.flagged, line.expected) for line in lines if line.setting.rule.name == "unblinded"] == [
        (1, 0.5)
    ]


def test_expected_false_flags_are_those_of_the_last_whole_run(worked) -> None:
    study = worked().study
    assert board.expected_false_flags(study, simulated=False) is None
    StudyNorms.objects.create(study=study, simulated=False, talks=1, values={})
    assert board.expected_false_flags(study, simulated=False) is None
    StudyNorms.objects.update(values={"expected": {"talk_time": 0.25}})
    assert board.expected_false_flags(study, simulated=False) == {"talk_time": 0.25}
    assert board.expected_false_flags(study, simulated=True) is None


def test_how_far_a_run_is_counts_those_judged_since(worked) -> None:
    people = [worked(), worked()]
    judging.judge_study(people[0].study, simulated=False)
    Judgement.objects.filter(participation=people[0]).update(judged_at=timezone.now() - timedelta(hours=1))
    since = timezone.now() - timedelta(minutes=5)
    assert board.judged_since(people[0].study, since, simulated=False) == 1
    assert board.judged_since(people[0].study, since, simulated=True) == 0
