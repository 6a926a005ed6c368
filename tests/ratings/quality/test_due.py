"""Who finishes a talk is judged soon after, whatever gets lost on the way."""

from __future__ import annotations

from datetime import timedelta

import pytest
from celery import current_app
from django.utils import timezone
from kombu import Queue
from kombu.exceptions import OperationalError

from chat import sweeper
from chat.models import Conversation
from evalsite.celery import app
from modelhub.safety.classifier import classifier
from modelhub.serving import routing
from ratings import submit
from ratings.axes import Axis
from ratings.models import Judgement, SafetyScore
from ratings.quality import due, judging, rounds, safety
from ratings.tasks import judge_due

from .conftest import LINES

SCORES = {axis.value: 3 for axis in Axis}


@pytest.fixture(autouse=True)
def not_asked_yet(monkeypatch):
    monkeypatch.setattr(due, "_asked_at", due.datetime.min.replace(tzinfo=due.UTC))


def calls() -> int:
    """Wake-up calls that wait for a worker; they are taken."""
    with app.connection_for_read() as connection:
        queue = Queue(routing.ASIDE, channel=connection.default_channel)
        queue.declare()
        taken = 0
        while queue.get(no_ack=True):
            taken += 1
    return taken


@pytest.fixture
def rating(worked):
    """Somebody whose talk is to be rated."""
    person = worked([LINES])
    Conversation.objects.update(state=Conversation.State.RATING, ended_at=None)
    person.conversations.get().ratings.all().delete()
    return person.conversations.get()


@pytest.mark.django_db(transaction=True)
def test_ratings_wake_a_worker_once_they_are_stored(rating, queue):
    calls()
    submit.submit(rating.pk, rating.participation_id, SCORES)
    assert Judgement.objects.get(participation=rating.participation).due_since
    assert calls() == 1
    judge_due.apply()
    judged = Judgement.objects.get()
    assert (judged.due_since, judged.talks) == (None, 1)


@pytest.mark.django_db(transaction=True)
def test_a_call_that_got_lost_is_made_again_once(worked, queue):
    person = worked()
    Judgement.objects.create(participation=person, due_since=timezone.now() - timedelta(seconds=90))
    calls()
    sweeper.sweep_once()
    sweeper.sweep_once()
    assert calls() == 1


@pytest.mark.django_db(transaction=True)
def test_nobody_is_called_before_a_call_can_be_lost(worked, queue):
    person = worked()
    Judgement.objects.create(participation=person, due_since=timezone.now() - timedelta(seconds=5))
    calls()
    sweeper.sweep_once()
    assert calls() == 0


@pytest.mark.django_db(transaction=True)
def test_more_than_a_task_takes_are_judged_by_the_next(worked, queue, monkeypatch):
    for _ in range(3):
        due.mark_due(worked().pk)
    monkeypatch.setattr("ratings.quality.judging.MOST_AT_ONCE", 2)
    calls()
    judge_due.apply()
    assert calls() == 1
    assert Judgement.objects.filter(due_since__isnull=False).count() == 1
    judge_due.apply()
    assert calls() == 0


@pytest.mark.django_db(transaction=True)
def test_one_task_of_a_process_judges_and_others_leave(worked, queue):
    due.mark_due(worked().pk)
    with rounds._judging:
        judge_due.apply()
    assert Judgement.objects.get().due_since
    judge_due.apply()
    assert not Judgement.objects.get().due_since


@pytest.mark.django_db(transaction=True)
def test_who_finishes_a_talk_while_others_are_judged_is_asked_for_after(worked, queue, monkeypatch):
    first, second = worked(), worked()
    due.mark_due(first.pk)
    judge = judging.judge_people

    def and_another_talk(*given) -> int:
        number = judge(*given)
        due.mark_due(second.pk)
        judge_due.apply()
        return number

    monkeypatch.setattr(judging, "judge_people", and_another_talk)
    calls()
    judge_due.apply()
    assert Judgement.objects.get(due_since__isnull=False).participation == second
    assert calls() == 2


@pytest.mark.django_db(transaction=True)
def test_a_mark_from_a_clock_that_is_ahead_is_left_to_the_sweeper(worked, queue):
    Judgement.objects.create(participation=worked(), due_since=timezone.now() + timedelta(hours=1))
    calls()
    judge_due.apply()
    assert calls() == 0 and Judgement.objects.get().judged_at


@pytest.mark.django_db(transaction=True)
def test_what_was_written_while_the_classifier_looked_is_looked_at_next(worked, queue, monkeypatch):
    first, second = worked(), worked()
    due.mark_due(first.pk)
    look = safety.try_to_look_at

    def and_another_talk(people) -> int:
        number = look(people)
        due.mark_due(second.pk)
        due.mark_due(first.pk)
        return number

    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(safety, "try_to_look_at", and_another_talk)
        judge_due.apply()
    assert Judgement.objects.filter(due_since__isnull=False).count() == 2
    judge_due.apply()
    assert not Judgement.objects.filter(due_since__isnull=False).exists()
    assert SafetyScore.objects.filter(message__conversation__participation=second).count() == len(LINES)


def away(*arguments, **options):
    raise OperationalError("no queue")


@pytest.mark.django_db
def test_a_queue_that_is_away_costs_no_rating(rating, monkeypatch):
    monkeypatch.setattr(current_app, "send_task", away)
    submit.submit(rating.pk, rating.participation_id, SCORES)
    due.ask()
    assert Judgement.objects.get().due_since


@pytest.mark.django_db(transaction=True)
def test_the_safety_classifier_looks_at_what_was_written_once(worked, queue):
    person = worked([[*LINES, "You are a worthless idiot and everybody hates you, you stupid pig."]])
    due.mark_due(person.pk)
    judge_due.apply()
    scores = list(SafetyScore.objects.order_by("message__position").values_list("probability", flat=True))
    assert len(scores) == 5
    assert max(scores[:4]) < scores[4]
    assert SafetyScore.objects.values("classifier").distinct().get()["classifier"] == classifier().version
    assert safety.look_at([person.pk]) == 0


@pytest.mark.django_db(transaction=True)
def test_a_classifier_that_cannot_be_loaded_costs_only_its_own_rule(worked, queue, settings, tmp_path):
    settings.SAFETY_CLASSIFIER = str(tmp_path / "nowhere")
    person = worked([["ok", "yes", "no", "fine"]])
    due.mark_due(person.pk)
    judge_due.apply()
    assert person.findings.get().rule == "short_messages"
    assert not SafetyScore.objects.exists()
