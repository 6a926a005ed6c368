"""What is told of workers, models and replies, and at what cost."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone

from chat import endings, turns
from chat.assignment import start_talk
from chat.models import Conversation, Message, Participation, Study, Turn
from chat.serving_status import Durations, ModelStatus, serving_status
from modelhub.models import ModelHealth, Revision, ServedModel, ServingWorker

pytestmark = pytest.mark.django_db


def worker(name: str = "here:1", ago_s: float = 0, **fields: object) -> ServingWorker:
    seen_at = timezone.now() - timedelta(seconds=ago_s)
    given = {"device": "cpu", "state": "ready", **fields}
    return ServingWorker.objects.create(name=name, seen_at=seen_at, **given)


def serves(by: ServingWorker, revision: Revision, state: str = "ready", **fields: object) -> None:
    ServedModel.objects.create(worker=by, revision=revision, state=state, changed_at=timezone.now(), **fields)


def only_model() -> ModelStatus:
    (found,) = serving_status().models
    return found


def replied(talk: Conversation, queued_ms: list[int], generated_ms: int = 40, ago_s: float = 0) -> None:
    """Replies with these times; made past the services, which measure."""
    first = talk.messages.count() + 1
    for place, milliseconds in enumerate(queued_ms, first):
        talk.messages.create(
            position=place,
            speaker=Message.Speaker.MODEL,
            text="So it is.",
            queued_ms=milliseconds,
            generated_ms=generated_ms,
        )
    at = timezone.now() - timedelta(seconds=ago_s)
    talk.messages.filter(position__gte=first).update(created_at=at)


# --- Workers --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("ago_s", "state"), [(3, "ready"), (20, "silent")])
def test_a_worker_that_says_nothing_is_silent(ago_s: float, state: str) -> None:
    worker(ago_s=ago_s)
    assert [found.state for found in serving_status().workers] == [state]


def test_a_worker_that_is_long_gone_is_not_told() -> None:
    worker(ago_s=3600)
    assert serving_status().workers == ()


def test_a_refused_model_is_told_with_its_sentence(study: Study) -> None:
    revision = study.arms.get().revision
    serves(worker(), revision, "refused", detail="It needs 900 MB and 200 are free.")
    (found,) = serving_status().served
    assert (found.state, found.detail) == ("refused", "It needs 900 MB and 200 are free.")
    assert only_model().ready_on == 0


def test_a_silent_worker_s_models_count_as_ready_nowhere(study: Study) -> None:
    revision = study.arms.get().revision
    for place, ago_s in enumerate((0, 1, 60)):
        serves(worker(f"here:{place}", ago_s), revision)
    assert only_model().ready_on == 2


# --- What is owed ---------------------------------------------------------------------------------------------------


def test_models_of_open_studies_are_told_though_nobody_serves_them(make_study: Callable[..., Study]) -> None:
    make_study(arms=2)
    make_study(arms=3)
    Study.objects.filter(slug="study-1").update(state=Study.State.CLOSED)
    assert len(serving_status().models) == 2


def test_a_reply_that_is_not_made_is_owed_and_ages(talk: Conversation) -> None:
    assert (only_model().live_talks, only_model().owed, only_model().oldest_owed_s) == (1, 0, None)
    turns.say(talk.pk, talk.participation_id, "What do you do all day?", "c1")
    talk.turns.update(asked_at=timezone.now() - timedelta(seconds=40))
    assert only_model().owed == 1
    assert 40 <= only_model().oldest_owed_s < 60


def test_a_held_reply_is_not_owed_by_the_model(talk: Conversation) -> None:
    turns.say(talk.pk, talk.participation_id, "What do you do all day?", "c1")
    talk.turns.update(state=Turn.State.HELD)
    assert only_model().owed == 0


def test_an_open_breaker_is_told_with_its_reason(study: Study) -> None:
    revision = study.arms.get().revision
    health = ModelHealth.objects.create(revision=revision, is_open=True, reason="3 failures in a row")
    assert (only_model().is_broken, only_model().broken_because) == (True, "3 failures in a row")
    ModelHealth.objects.filter(pk=health.pk).update(is_open=False)
    assert (only_model().is_broken, only_model().broken_because) == (False, "")


# --- The last minutes -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("waits", "p50", "p95"),
    [
        ([7], 7, 7),
        ([9, 3], 3, 9),
        ([5, 1, 4, 2, 3], 3, 5),
        (list(range(1, 21)), 10, 19),
        (list(range(1, 101)), 50, 95),
        (list(range(1, 102)), 51, 96),
    ],
)
def test_percentiles_are_by_nearest_rank(talk: Conversation, waits: list[int], p50: int, p95: int) -> None:
    """Of n sorted values the one in place ceil(n p / 100) (Hyndman and Fan 1996, definition 1)."""
    replied(talk, waits)
    assert only_model().queued == Durations(p50, p95)
    assert only_model().replies == len(waits)


def test_waiting_and_generating_are_told_apart(talk: Conversation) -> None:
    replied(talk, [3, 5], generated_ms=700)
    assert only_model().generated == Durations(700, 700)


def test_each_model_has_its_own_percentiles(make_study: Callable[..., Study], join) -> None:
    study = make_study(arms=2)
    talks = [start_talk(join(study)) for _ in range(2)]
    for talk, waits in zip(talks, ([1, 2], [30, 40, 50]), strict=True):
        replied(talk, waits)
    found = {model.revision_id: (model.replies, model.queued) for model in serving_status().models}
    assert found == {
        talks[0].arm.revision_id: (2, Durations(1, 2)),
        talks[1].arm.revision_id: (3, Durations(40, 50)),
    }


def test_old_replies_do_not_count(talk: Conversation) -> None:
    replied(talk, [1000], ago_s=301)
    replied(talk, [10], ago_s=200)
    assert (only_model().replies, only_model().queued) == (1, Durations(10, 10))


def test_replies_that_nobody_could_give_count_as_failed(
    make_study: Callable[..., Study], join: Callable[..., Participation]
) -> None:
    study = make_study()
    for state in (Conversation.State.FAILED, Conversation.State.ABANDONED):
        talk = start_talk(join(study))
        turns.say(talk.pk, talk.participation_id, "What do you do all day?", "c1")
        endings.end(talk.pk, state)
    assert only_model().failed == 1


def test_turns_that_were_asked_again_are_counted(talk: Conversation) -> None:
    for place, (attempt, again) in enumerate([(1, 0), (2, 0), (0, 1)]):
        talk.turns.create(position=place, state=Turn.State.ANSWERED, attempt=attempt, asked_again=again)
    assert only_model().asked_again == 2


# --- The cost -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("times", [1, 3])
def test_the_queries_are_as_many_however_much_there_is(
    times: int, make_study: Callable[..., Study], join, django_assert_num_queries
) -> None:
    for number in range(times):
        study = make_study(arms=2)
        serving = worker(f"here:{number}")
        for arm in study.arms.all():
            serves(serving, arm.revision)
        replied(start_talk(join(study)), [1, 2, 3])
    with django_assert_num_queries(10):
        serving_status()
