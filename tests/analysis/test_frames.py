"""Ratings out of the database: whose, from which talks, and in how many queries."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from analysis.reading.frames import Population, choose_population, complete_talks, frame_of, ratings_frame
from chat.models import Conversation
from ratings.models import Rating

UNFINISHED = [state for state in Conversation.State.values if state != Conversation.State.COMPLETE]


def test_only_complete_talks_count(rated_study) -> None:
    study = rated_study()
    study.talk("ann", 0, [1, 2, 3, 4])
    for number, state in enumerate(UNFINISHED):
        study.talk(f"left {number}", 0, [5, 5, 5, 5], state=state)
    frame = ratings_frame(study.study, Population.PEOPLE)
    assert frame.talks == 1
    assert sorted(frame.score) == [1, 2, 3, 4]


def test_people_and_simulated_workers_are_never_mixed(rated_study) -> None:
    study = rated_study()
    study.talk("ann", 0, [1, 1, 1, 1])
    study.talk("robot", 0, [5, 5, 5, 5], simulated=True)
    for population, score in [(Population.PEOPLE, 1), (Population.SIMULATED, 5)]:
        frame = ratings_frame(study.study, population)
        assert set(frame.score) == {score} and frame.workers == frame.talks == 1


def test_another_study_is_not_read(rated_study) -> None:
    study, other = rated_study(), rated_study("other", models=["ConvAI2"])
    other.talk("ann", 0, [1, 1, 1, 1])
    assert ratings_frame(study.study, Population.PEOPLE).talks == 0


@pytest.mark.parametrize(
    ("people", "simulated", "chosen"),
    [
        (0, 0, Population.PEOPLE),
        (0, 2, Population.SIMULATED),
        (1, 2, Population.PEOPLE),
        (1, 0, Population.PEOPLE),
    ],
)
def test_people_come_first_and_simulated_only_where_there_is_nothing_else(
    rated_study, people: int, simulated: int, chosen: Population
) -> None:
    study = rated_study()
    for number in range(people):
        study.talk(f"person {number}", 0, [3, 3, 3, 3])
    for number in range(simulated):
        study.talk(f"robot {number}", 0, [3, 3, 3, 3], simulated=True)
    study.talk("left", 0, [3, 3, 3, 3], state=Conversation.State.ABANDONED)
    assert choose_population(study.study) is chosen
    assert complete_talks(study.study) == {Population.PEOPLE: people, Population.SIMULATED: simulated}


def test_models_stand_in_the_order_of_arms_even_when_nobody_rated_them(rated_study) -> None:
    study = rated_study(models=["Zebra", "Ape", "Mole"])
    study.talk("ann", 2, [1, 2, 3, 4])
    frame = ratings_frame(study.study, Population.PEOPLE)
    assert frame.models == ("Zebra", "Ape", "Mole")
    assert frame.talks_by_model().tolist() == [0, 0, 1]
    assert frame.table().total[0, 2].tolist() == [1, 2, 3, 4]


def test_two_revisions_of_one_model_can_be_told_apart(rated_study) -> None:
    frame = ratings_frame(rated_study(models=["BST", "BST", "ED"]).study, Population.PEOPLE)
    assert len(set(frame.models)) == 3
    assert frame.models[0].startswith("BST (") and frame.models[2] == "ED"


def test_a_table_is_read_in_three_queries_however_many_ratings(rated_study) -> None:
    study = rated_study()
    study.fill(3)
    with CaptureQueriesContext(connection) as asked:
        frame = ratings_frame(study.study, Population.PEOPLE)
    assert frame.talks == 24
    assert sum(query["sql"].startswith("SELECT") for query in asked) == 3


def test_a_talk_may_lack_an_axis(rated_study) -> None:
    study = rated_study()
    Rating.objects.filter(conversation=study.talk("ann", 0, [5, 1, 4, 2]), axis="empathy").delete()
    study.talk("bob", 1, [1, 5, 3, 5])
    frame = ratings_frame(study.study, Population.PEOPLE)
    rated = sorted(
        (int(model), frame.axes[axis], int(score))
        for model, axis, score in zip(frame.model, frame.axis, frame.score, strict=True)
    )
    of_bob = [("empathy", 5), ("knowledge", 1), ("overall", 5), ("personal", 3)]
    assert rated == [(0, "knowledge", 5), (0, "overall", 2), (0, "personal", 4)] + [
        (1, *each) for each in of_bob
    ]


def test_the_hash_tells_data_apart_and_nothing_else(rated_study) -> None:
    study = rated_study()
    study.talk("ann", 0, [1, 2, 3, 4])
    first = ratings_frame(study.study, Population.PEOPLE).sha256
    study.talk("robot", 0, [5, 5, 5, 5], simulated=True)
    study.study.title = "Another title"
    study.study.save()
    assert ratings_frame(study.study, Population.PEOPLE).sha256 == first
    study.talk("bob", 0, [1, 2, 3, 4])
    assert ratings_frame(study.study, Population.PEOPLE).sha256 != first


def test_the_hash_does_not_depend_on_what_workers_and_talks_are_called() -> None:
    given = {"study": "s", "title": "S", "population": Population.PEOPLE, "models": ("A", "B")}
    rows = [("ann", "t1", 0, "overall", 3), ("ann", "t2", 1, "overall", 4), ("bob", "t3", 1, "empathy", 5)]
    named = {"ann": "p1", "bob": "p2", "t1": "x", "t2": "y", "t3": "z"}
    renamed = [(named[worker], named[talk], *rest) for worker, talk, *rest in rows]
    first, second = frame_of(rows, **given), frame_of(renamed, **given)
    assert first.sha256 == second.sha256 and second.people == ("p1", "p2")
    assert first.worker.tolist() == [0, 0, 1] and first.talk.tolist() == [0, 1, 2]
    other = [*rows[:2], ("ann", *rows[2][1:])]
    assert frame_of(other, **given).sha256 != first.sha256
