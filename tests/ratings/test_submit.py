"""Ratings are stored once, whole, and only when they are due."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import IntegrityError, connection, transaction

from chat import endings
from chat.errors import TalkNotFound
from chat.models import Conversation, Message, Participation
from ratings.errors import AlreadyRated, NotRatingYet, RatingError, RatingsRefused, TalkNotRated
from ratings.models import Rating
from ratings.submit import check_scores, submit

GOOD = {"knowledge": "4", "empathy": "5", "personal": "2", "overall": "1"}


@pytest.fixture
def due(talk: Conversation, converse: Callable[..., Message]) -> Conversation:
    """A talk that waits for its ratings."""
    converse(talk, finish=True)
    return talk


def stored(talk: Conversation) -> dict[str, int]:
    return dict(talk.ratings.values_list("axis", "score"))


def test_four_scores_are_stored_and_the_talk_is_complete(due: Conversation) -> None:
    submit(due.pk, due.participation_id, GOOD)
    due.refresh_from_db()
    assert stored(due) == {"knowledge": 4, "empathy": 5, "personal": 2, "overall": 1}
    assert due.state == Conversation.State.COMPLETE


def test_whole_numbers_do_as_well_as_text(due: Conversation) -> None:
    submit(due.pk, due.participation_id, {axis: int(score) for axis, score in GOOD.items()})
    assert stored(due)["knowledge"] == 4


@pytest.mark.parametrize(
    "score", ["0", "6", "-1", "2.5", "", " 3", "3 ", "３", "1e0", "three", "None", True, 0, 6, 2.5, "4,4"]
)
def test_what_is_not_on_the_scale_is_refused_in_words_of_its_axis(score: object, due: Conversation) -> None:
    with pytest.raises(RatingsRefused) as refused:
        submit(due.pk, due.participation_id, GOOD | {"empathy": score})
    assert list(refused.value.reasons) == ["empathy"]
    assert "1 to 5" in refused.value.reasons["empathy"]
    due.refresh_from_db()
    assert not stored(due) and due.state == Conversation.State.RATING


@pytest.mark.parametrize("axis", GOOD)
def test_a_missing_axis_is_named(axis: str) -> None:
    with pytest.raises(RatingsRefused) as refused:
        check_scores({name: score for name, score in GOOD.items() if name != axis})
    assert list(refused.value.reasons) == [axis]


def test_an_axis_that_is_not_asked_is_refused(due: Conversation) -> None:
    with pytest.raises(RatingsRefused) as refused:
        submit(due.pk, due.participation_id, GOOD | {"charm": "5"})
    assert list(refused.value.reasons) == ["charm"]
    assert not stored(due)


def test_a_second_submission_changes_nothing_and_tells_when_the_first_was(due: Conversation) -> None:
    submit(due.pk, due.participation_id, GOOD)
    with pytest.raises(AlreadyRated) as refused:
        submit(due.pk, due.participation_id, {axis: "3" for axis in GOOD})
    due.refresh_from_db()
    assert refused.value.at == due.ended_at
    assert stored(due)["overall"] == 1


def test_a_talk_that_goes_on_cannot_be_rated(talk: Conversation) -> None:
    with pytest.raises(NotRatingYet):
        submit(talk.pk, talk.participation_id, GOOD)
    assert not stored(talk)


@pytest.mark.parametrize(
    "state", [Conversation.State.ABANDONED, Conversation.State.FAILED, Conversation.State.WITHDRAWN]
)
def test_a_talk_that_ended_early_cannot_be_rated(state: Conversation.State, due: Conversation) -> None:
    endings.end(due.pk, state)
    with pytest.raises(TalkNotRated):
        submit(due.pk, due.participation_id, GOOD)
    assert not stored(due)


def test_another_worker_s_talk_is_not_there(due: Conversation, join: Callable[..., Participation]) -> None:
    other = join(due.participation.study)
    with pytest.raises(TalkNotFound):
        submit(due.pk, other.pk, GOOD)
    assert not stored(due)


@pytest.mark.django_db(transaction=True)
def test_of_parallel_submissions_one_is_stored(due: Conversation) -> None:
    def attempt(score: int) -> bool:
        try:
            submit(due.pk, due.participation_id, {axis: score for axis in GOOD})
        except RatingError:
            return False
        finally:
            connection.close()
        return True

    with ThreadPoolExecutor(5) as pool:
        stored_by = [
            score for score, won in zip(range(1, 6), pool.map(attempt, range(1, 6)), strict=True) if won
        ]
    assert len(stored_by) == 1
    assert stored(due) == {axis: stored_by[0] for axis in GOOD}


@pytest.mark.parametrize("score", [0, 6, -1, 100])
def test_the_database_itself_refuses_a_score_off_the_scale(score: int, due: Conversation) -> None:
    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO ratings_rating (conversation_id, axis, score, created_at) VALUES (%s, %s, %s, %s)",
            [due.pk.hex if connection.vendor == "sqlite" else due.pk, "overall", score, due.started_at],
        )


def test_the_database_itself_refuses_a_second_rating_on_an_axis(due: Conversation) -> None:
    Rating.objects.create(conversation=due, axis="overall", score=3)
    with pytest.raises(IntegrityError), transaction.atomic():
        Rating.objects.create(conversation=due, axis="overall", score=4)
