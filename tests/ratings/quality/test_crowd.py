"""Rules that measure a worker against the study, through its database."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest
from django.db.models import F
from django.utils import timezone

from chat.models import Conversation
from ratings.models import StudyNorms
from ratings.quality import columns, honest_seeds, judging, norms, policy
from ratings.quality import crowd as crowd_rules
from ratings.quality.norms import Norms
from ratings.quality.policy import in_force, settings_of

from .conftest import LINES, finished

pytestmark = pytest.mark.django_db


@pytest.fixture
def crowd(worked):
    """Twelve honest workers of four talks, who rate as people do."""
    draw = np.random.default_rng(3)
    return [
        worked([LINES] * 4, [tuple(int(s) for s in draw.integers(1, 6, 4)) for _ in range(4)])
        for _ in range(12)
    ]


def found(person, rule: str):
    return person.findings.filter(rule=rule, cleared_at=None).first()


def judge(person):
    judging.judge_study(person.study, simulated=False)


def test_one_answer_everywhere_is_found_with_how_likely_it_is_for_honest_workers(crowd, worked):
    liner = worked([LINES] * 3, [(4, 4, 4, 4)])
    judge(liner)
    finding = found(liner, "same_answer_everywhere")
    assert finding.numbers["answers"] == "4, 4, 4, 4"
    assert (finding.numbers["talks"], finding.numbers["ratings"], len(finding.places)) == (3, 12, 12)
    assert 0 < finding.null_probability < 0.01
    assert not any(found(person, "same_answer_everywhere") for person in crowd)


def test_two_talks_are_never_judged(crowd, worked):
    liner = worked([LINES] * 2, [(4, 4, 4, 4)])
    judge(liner)
    assert found(liner, "same_answer_everywhere") is None


def test_the_same_four_answers_in_each_talk_are_the_other_rules_matter(crowd, worked):
    liner = worked([LINES] * 3, [(4, 3, 2, 5)])
    judge(liner)
    assert found(liner, "same_answers_each_talk").numbers["answers"] == "4, 3, 2, 5"
    assert found(liner, "same_answer_everywhere") is None


def test_who_hurries_through_is_found_by_their_median(crowd, worked):
    hasty = worked([LINES] * 3, [(4, 3, 2, 5), (1, 3, 2, 2), (5, 5, 1, 2)])
    Conversation.objects.filter(participation=hasty).update(ended_at=F("started_at") + timedelta(seconds=40))
    judge(hasty)
    finding = found(hasty, "talk_time")
    assert (finding.numbers["median_s"], finding.numbers["study_median_s"]) == (40, pytest.approx(300, abs=1))
    assert finding.null_probability < 0.01
    assert not any(found(person, "talk_time") for person in crowd)


def test_norms_survive_their_storage(crowd):
    settings = settings_of(in_force(crowd[0].study))
    data = columns.read(crowd[0].study, simulated=False)
    measured = norms.measure(data, settings)
    again = Norms.from_json(measured.talks, measured.as_json())
    assert again.honest.same_answers([0, 1, 1]) == measured.honest.same_answers([0, 1, 1])
    assert (again.talk, again.message, again.arms) == (measured.talk, measured.message, measured.arms)
    assert set(measured.expected) == {
        "same_answer_everywhere",
        "same_answers_each_talk",
        "talk_time",
        "message_time",
    }
    assert 0 <= measured.expected["same_answer_everywhere"] < 12


def test_as_talks_finish_workers_are_judged_against_the_norms_that_are_known(crowd, worked):
    judge(crowd[0])
    liner = worked([LINES] * 2, [(4, 4, 4, 4)])
    finished(liner, 3, LINES, (4, 4, 4, 4), "Nice.")
    before = StudyNorms.objects.get().computed_at
    judging._judge_some(liner.study, [liner.pk], timezone.now(), simulated=False)
    assert found(liner, "same_answer_everywhere")
    assert StudyNorms.objects.get().computed_at == before
    assert StudyNorms.objects.get().talks == 48


def test_norms_are_measured_anew_when_a_quarter_more_talks_were_finished(crowd, worked):
    judge(crowd[0])
    person = worked([LINES] * 12, [(1, 2, 3, 4), (5, 3, 1, 2)])
    judging._judge_some(person.study, [person.pk], timezone.now(), simulated=False)
    assert StudyNorms.objects.get().talks == 60


def test_honest_workers_with_these_talks_are_hardly_ever_flagged(crowd):
    study = crowd[0].study
    found = honest_seeds.rates(study, policy.in_force(study), simulated=False, seeds=3)
    assert set(found) <= set(honest_seeds.TOLD)
    assert {rate.workers for rate in found.values()} == {36}
    assert all(rate.share <= 0.1 for rate in found.values())


def test_where_nobody_rated_anything_there_are_no_rates(study):
    assert honest_seeds.rates(study, policy.in_force(study), simulated=False, seeds=1) == {}


def test_a_model_that_nobody_had_rated_when_the_study_was_measured_is_no_surprise(crowd, worked):
    study = crowd[0].study
    settings = settings_of(in_force(study))
    late = Conversation.objects.filter(arm=study.arms.order_by("position").last())
    late.update(state=Conversation.State.ABANDONED)
    known = norms.measure(columns.read(study, simulated=False), settings)
    late.update(state=Conversation.State.COMPLETE)
    liner = worked([LINES] * 4, [(4, 4, 4, 4)])
    found = crowd_rules.flags(columns.read(study, simulated=False, only=[liner.pk]), known, settings)
    assert [flag.rule for flag in found[liner.pk]] == ["same_answer_everywhere"]
