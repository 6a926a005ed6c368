"""Scenarios: what they come to, and what is impossible, in words beside its field."""

from __future__ import annotations

import numpy as np
import pytest

from analysis.errors import PlanRefused
from analysis.planning import wording
from analysis.planning.scenario import Scenario, plan, refusals
from analysis.statistics.planning import Design, ratings_needed
from analysis.statistics.terms import Dealing, Question, Rule

PAPER = {"difference": 0.3, "sd": 1.3, "icc": 0.23, "talks_a_worker": 3.4}


def test_one_pair_with_one_look_is_the_formula() -> None:
    found = plan(Scenario(**PAPER, question=Question.ONE_PAIR))
    assert found.talks == found.alone == ratings_needed(Design(sd=1.3, icc=0.23, talks=3.4), 0.3) == 267
    assert (found.total, found.workers) == (534, 158)
    assert [look.talks for look in found.looks] == [267]
    assert found.looks[0].limit == pytest.approx(1.96, abs=1e-3)


def test_cost_and_days_follow_from_pay_and_pace() -> None:
    found = plan(Scenario(**PAPER, models=8, pay=1.5, talks_a_day=120))
    assert found.cost == pytest.approx(found.talks * 8 * 1.5)
    assert found.days == pytest.approx(found.talks * 8 / 120)
    unknown = plan(Scenario(**PAPER))
    assert unknown.cost is None and unknown.days is None


def test_the_curve_rises_and_has_the_plans_power_at_its_number() -> None:
    found = plan(Scenario(**PAPER, models=8, looks=5))
    powers = [point.power for point in found.curve]
    assert powers == sorted(powers)
    [there] = [point for point in found.curve if point.talks == found.talks]
    assert there.power == pytest.approx(0.8, abs=2e-3)
    assert there.detectable == pytest.approx(0.3, abs=0.01)


def test_looks_cost_a_few_talks_and_end_sooner_on_average() -> None:
    found = plan(Scenario(**PAPER, looks=5))
    assert found.alone < found.talks < 1.05 * found.alone
    assert found.expected < 0.9 * found.alone < found.expected_without
    assert found.looks[-1].found == pytest.approx(0.8, abs=1e-6)
    assert found.looks[-1].false_alarm == pytest.approx(0.05, abs=1e-6)


def test_a_plan_says_its_figures_as_they_were_given() -> None:
    found = plan(Scenario(difference=0.004, sd=0.1, icc=0.23, power=0.995))
    assert wording.headline(found).endswith("find a difference of 0.004 with power 99.5 %.")
    assert "(by hand); one talk a worker, models dealt at random." in wording.assumed(found, "by hand")
    few = plan(Scenario(**PAPER | {"talks_a_worker": 1e6}))
    assert wording.spent(few) == "It takes 1 worker."
    block = plan(Scenario(**PAPER | {"talks_a_worker": 2}, dealing=Dealing.COMPLETE_BLOCK))
    assert wording.assumed(block, "x").endswith(
        "2 talks a worker, models dealt equally often to each worker."
    )


def test_where_a_pair_ends_counts_studies_that_decide_nothing() -> None:
    found = plan(Scenario(**PAPER, models=8, looks=5))
    assert found.looks[-1].found < 0.81
    by_a_limit = np.diff([look.found for look in found.looks], prepend=0)
    decided = by_a_limit @ [look.share for look in found.looks] * found.talks
    assert found.expected == pytest.approx(decided + (1 - by_a_limit.sum()) * found.talks)
    words = f"is decided, or the study at its end, after {found.expected:.0f} on average where the difference is there"
    assert words in wording.looked_at(found)


def test_the_questions_stand_side_by_side() -> None:
    found = plan(Scenario(**PAPER, models=8))
    assert [talks for _, _, talks in found.questions] == sorted(talks for _, _, talks in found.questions)
    assert dict((question, talks) for question, _, talks in found.questions)[Question.BEST] == found.talks


def test_always_valid_limits_hold_after_any_number_of_looks() -> None:
    found = plan(Scenario(**PAPER, rule=Rule.ALWAYS_VALID, looks=10))
    assert found.looks[-1].false_alarm < 0.05


@pytest.mark.parametrize(
    ("field", "changes", "words"),
    [
        ("difference", {"difference": 0.0}, "0 is no difference to look for"),
        ("difference", {"difference": float("inf")}, "inf is no difference"),
        ("sd", {"sd": -1.0}, "The spread is -1; give one above 0"),
        ("icc", {"icc": 1.0}, "from 0 to below 1"),
        ("models", {"models": 1}, "1 cannot be compared; give 2 to 100"),
        ("talks_a_worker", {"talks_a_worker": 0.5}, "A worker holds 0.5 talks; give 1 or more"),
        (
            "talks_a_worker",
            {"dealing": Dealing.COMPLETE_BLOCK, "models": 8},
            "In a complete block each worker talks to all 8 models",
        ),
        ("alpha", {"alpha": 0.0}, "The error rate is 0; give one from 0.0001 to 0.5"),
        ("power", {"power": 0.04}, r"above the error rate \(0.05\) and below 1"),
        ("power", {"power": 1.0}, "The power is 1"),
        ("looks", {"looks": 0}, r"0 looks cannot be planned; give 1 \(at the end alone\) to 20"),
        (
            "looks",
            {"difference": 1.5, "looks": 20},
            r"1\d talks of each model are enough: 20 looks come too close; plan 1",
        ),
        ("difference", {"difference": 9.0}, "1 talk of each model is too few to plan with, 10 the least"),
        ("difference", {"difference": 1.9}, r"\d talks of each model are too few to plan with"),
        ("difference", {"sd": 1e-6}, r"\d talks? of each model (is|are) too few to plan with"),
        ("pay", {"pay": -2.0}, "The pay for a talk is -2"),
        ("talks_a_day", {"talks_a_day": float("nan")}, "nan talks a day is no pace"),
        ("difference", {"difference": 0.001}, "talks of each model; look for a larger difference"),
    ],
)
def test_what_is_impossible_is_told_at_its_field(field: str, changes: dict, words: str) -> None:
    with pytest.raises(PlanRefused, match=words) as refused:
        plan(Scenario(**PAPER | changes))
    assert list(refused.value.reasons) == [field]


def test_all_faults_are_told_at_once() -> None:
    assert set(refusals(Scenario(difference=-1, sd=0, icc=2, models=0, looks=99))) == {
        "difference",
        "sd",
        "icc",
        "models",
        "looks",
    }
