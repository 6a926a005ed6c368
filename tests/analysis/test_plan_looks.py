"""Planned looks: when they are due, what they find, what follows, and that they stay."""

from __future__ import annotations

import numpy as np
import pytest
from django.db import IntegrityError, transaction

from analysis.models import StudyLook
from analysis.planning import looks, standing
from analysis.reading.frames import Population, ratings_frame
from analysis.statistics.mixed import fit
from analysis.statistics.sequential import Shape, spending_bounds
from analysis.statistics.terms import Question
from chat.models import Conversation, Study
from ratings.models import Decision
from tests.analysis.planned_studies import hold, planned

pytestmark = pytest.mark.django_db


def test_no_look_is_taken_before_one_is_due() -> None:
    rated, plan = planned()
    hold(rated, plan.due_at(1) - 1, [3, 3])
    assert looks.take_due(rated.study) is None
    assert not StudyLook.objects.exists()


def test_a_look_is_taken_once_when_every_model_has_its_talks() -> None:
    rated, plan = planned()
    hold(rated, plan.due_at(1), [3, 3])
    taken = looks.take_due(rated.study)
    assert taken and (taken.number, taken.smallest) == (1, plan.due_at(1))
    assert looks.take_due(rated.study) is None
    assert StudyLook.objects.count() == 1


def test_a_look_says_what_the_mixed_model_says() -> None:
    rated, plan = planned()
    hold(rated, plan.due_at(1), [2.8, 3.2])
    taken = looks.take_due(rated.study)
    assert taken
    frame = ratings_frame(rated.study, Population.PEOPLE)
    fitted = fit(frame.table())[frame.axes.index("overall")]
    error = np.sqrt(fitted.covariance[0, 0] + fitted.covariance[1, 1] - 2 * fitted.covariance[0, 1])
    [pair] = taken.pairs
    assert (pair["first"], pair["second"]) == (1, 2)
    assert pair["estimate"] == pytest.approx(fitted.means[0] - fitted.means[1])
    assert pair["error"] == pytest.approx(error)
    # The normal score of a t with many degrees of freedom is a little nearer to 0.
    assert 0.9 < pair["z"] / (pair["estimate"] / error) < 1
    assert taken.limit == pytest.approx(spending_bounds(Shape.OBRIEN_FLEMING, np.array([taken.share]))[0])
    assert taken.data_sha256 == frame.sha256


def test_a_planted_difference_stops_the_study_at_an_early_look() -> None:
    rated, plan = planned(on_stop="close")
    hold(rated, plan.due_at(2), [2.0, 4.2])
    taken = looks.take_due(rated.study)
    assert taken and (taken.number, taken.decision, taken.closed_study) == (2, "answered", True)
    assert taken.best == rated.arms[1]
    rated.study.refresh_from_db()
    assert rated.study.state == Study.State.CLOSED
    stop = Decision.objects.get(act="stop")
    assert (stop.actor, stop.details["plan"], stop.details["look"]) == ("the study's plan", 1, 2)


def test_a_plan_that_advises_leaves_the_study_open() -> None:
    rated, plan = planned(on_stop="advise")
    hold(rated, plan.due_at(2), [2.0, 4.2])
    taken = looks.take_due(rated.study)
    assert taken and (taken.decision, taken.closed_study) == ("answered", False)
    rated.study.refresh_from_db()
    assert rated.study.is_open
    hold(rated, 200, [2.0, 4.2], seed=2)
    assert looks.take_due(rated.study) is None  # it is answered


def test_without_a_difference_a_study_goes_on_to_its_end() -> None:
    rated, plan = planned(on_stop="close")
    decisions = []
    for number in range(1, plan.looks + 1):
        hold(rated, plan.due_at(number) - plan.due_at(number - 1), [3, 3], seed=40 + number)
        taken = looks.take_due(rated.study)
        assert taken and taken.number == number
        decisions.append(taken.decision)
    assert decisions == ["go_on", "go_on", "go_on", "end"]
    rated.study.refresh_from_db()
    assert rated.study.is_open
    assert StudyLook.objects.order_by("number").last().share == 1


def test_looks_that_were_passed_by_are_left_out_and_spend_their_error_later() -> None:
    rated, plan = planned()
    hold(rated, plan.due_at(3), [3, 3])
    taken = looks.take_due(rated.study)
    assert taken and taken.number == 3
    assert taken.limit == pytest.approx(spending_bounds(Shape.OBRIEN_FLEMING, np.array([taken.share]))[0])


def test_simulated_talks_bring_no_look() -> None:
    rated, plan = planned()
    hold(rated, plan.talks_per_arm, [1, 5], simulated=True)
    assert looks.take_due(rated.study) is None
    assert standing.talks_by_arm(rated.study) == {1: 0, 2: 0}


def test_talks_of_excluded_workers_count_for_nothing() -> None:
    rated, plan = planned()
    hold(rated, plan.due_at(1), [3, 3])
    person = next(iter(rated.people.values()))
    type(person).objects.filter(pk=person.pk).update(excluded_at=person.created_at)
    assert looks.take_due(rated.study) is None
    hold(rated, 2, [3, 3], seed=5)
    taken = looks.take_due(rated.study)
    assert taken and taken.smallest == plan.due_at(1)
    assert taken.talks == standing.talks_by_arm(rated.study)


def test_talks_under_way_count_for_nothing() -> None:
    rated, plan = planned()
    hold(rated, plan.due_at(1), [3, 3])
    Conversation.objects.filter(pk=Conversation.objects.first().pk).update(state="rating")
    assert looks.take_due(rated.study) is None


# --- More than two models -----------------------------------------------------------------------------------


def test_the_best_of_three_is_known_when_it_is_ahead_of_both() -> None:
    rated, plan = planned(["a", "b", "c"])
    hold(rated, plan.due_at(1), [2.0, 2.1, 4.6])
    taken = looks.take_due(rated.study)
    assert taken and taken.decision == "answered" and taken.best == rated.arms[2]
    assert [pair["decided"] for pair in taken.pairs] == [0, -1, -1]


def test_every_pair_is_asked_about_and_one_too_close_keeps_the_study_going() -> None:
    rated, plan = planned(["a", "b", "c"], question=Question.ALL_PAIRS)
    hold(rated, plan.due_at(1), [2.0, 2.1, 4.6])
    taken = looks.take_due(rated.study)
    assert taken and taken.decision == "go_on" and taken.best is None
    assert [pair["decided"] for pair in taken.pairs] == [0, -1, -1]


def test_one_pair_is_looked_at_by_itself_and_counts_its_own_talks() -> None:
    rated, plan = planned(["a", "b", "c"], question=Question.ONE_PAIR, pair=(1, 3))
    hold(rated, plan.due_at(1), [2.0, 3.0, 4.6])
    taken = looks.take_due(rated.study)
    assert taken and [(pair["first"], pair["second"]) for pair in taken.pairs] == [(1, 3)]
    assert taken.decision == "answered"


def test_what_a_look_decided_stays_decided() -> None:
    rated, plan = planned(["a", "b", "c"], question=Question.ALL_PAIRS)
    hold(rated, plan.due_at(1), [2.0, 2.1, 4.6])
    looks.take_due(rated.study)
    hold(rated, plan.due_at(2) - plan.due_at(1), [4.5, 4.5, 1.2], seed=9)
    taken = looks.take_due(rated.study)
    assert taken and taken.number == 2
    assert [pair["decided"] for pair in taken.pairs][1:] == [-1, -1]
    assert [pair["passed"] for pair in taken.pairs][1:] != [-1, -1]


# --- Rows that stay -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("change", ["update", "delete"])
def test_the_database_keeps_looks_and_plans(change: str) -> None:
    rated, plan = planned()
    hold(rated, plan.due_at(1), [3, 3])
    looks.take_due(rated.study)
    for rows in (StudyLook.objects.all(), type(plan).objects.all()):
        with pytest.raises(IntegrityError, match="never changed"), transaction.atomic():
            rows.update(
                **({"limit": 1} if rows.model is StudyLook else {"alpha": 0.2})
            ) if change == "update" else (rows._raw_delete(rows.db))


def test_of_two_who_take_a_look_the_first_stores_it(monkeypatch: pytest.MonkeyPatch) -> None:
    rated, plan = planned()
    hold(rated, plan.due_at(1), [3, 3])
    real = looks._look

    def beaten(*arguments: object) -> StudyLook | None:
        monkeypatch.setattr(looks, "_look", real)
        looks.take_due(rated.study)
        return real(*arguments)

    monkeypatch.setattr(looks, "_look", beaten)
    assert looks.take_due(rated.study) is None
    assert StudyLook.objects.count() == 1
