"""The last talk of a look wakes a worker, which takes it; whatever gets lost on the way is made up for."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from celery import current_app
from kombu import Queue
from kombu.exceptions import OperationalError

from analysis.models import StudyLook
from analysis.planning import due
from analysis.tasks import take_look
from chat import sweeper
from chat.models import Conversation, Study
from evalsite.celery import app
from modelhub.serving import routing
from ratings import submit
from ratings.axes import Axis
from ratings.quality import due as judging_due
from tests.analysis.planned_studies import hold, planned

SCORES = {axis.value: 4 for axis in Axis}
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def not_looked_yet(monkeypatch):
    monkeypatch.setattr(due, "_looked_at", datetime.min.replace(tzinfo=UTC))
    monkeypatch.setattr(judging_due, "ask", lambda: None)


@pytest.fixture
def last_talk(queue):
    """A study that closes itself, and its talk in rating that makes the second look due."""
    rated, plan = planned(on_stop="close")
    hold(rated, plan.due_at(2), [2.0, 4.2])
    talk = Conversation.objects.filter(arm=rated.arms[1]).order_by("pk").last()
    talk.ratings.all().delete()
    Conversation.objects.filter(pk=talk.pk).update(state="rating", ended_at=None)
    return talk


@pytest.fixture
def worker_aside(transactional_db, queue, monkeypatch):
    """A Celery worker in this process on the queue of such tasks."""
    from celery.contrib.testing.worker import start_worker

    from modelhub.serving import worker

    calls()
    # Which queues a worker takes from is kept by the app, for later workers too.
    monkeypatch.setattr(app.amqp.queues, "_consume_from", None)
    options = {"pool": "threads", "concurrency": 1, "perform_ping_check": False, "shutdown_timeout": 30}
    with start_worker(app, queues=[routing.ASIDE], **options):
        yield
    worker.on_worker_shutdown()  # which Celery's worker for tests does not send


def calls() -> int:
    """Wake-up calls that wait for a worker; they are taken."""
    with app.connection_for_read() as connection:
        queue = Queue(routing.ASIDE, channel=connection.default_channel)
        queue.declare()
        taken = 0
        while queue.get(no_ack=True):
            taken += 1
    return taken


def rate(talk: Conversation) -> None:
    submit.submit(talk.pk, talk.participation_id, SCORES)


def test_the_rating_that_makes_a_look_due_wakes_a_worker(last_talk):
    calls()
    rate(last_talk)
    assert calls() == 1
    study = last_talk.arm.study
    take_look.apply((study.pk,))
    study.refresh_from_db()
    assert study.state == Study.State.CLOSED
    assert StudyLook.objects.get().closed_study


def test_a_worker_takes_the_look_and_the_study_closes_itself(last_talk, worker_aside, eventually):
    rate(last_talk)
    eventually(lambda: StudyLook.objects.exists(), "the look")
    eventually(lambda: not Study.objects.get(pk=last_talk.arm.study_id).is_open, "the study's end")


def test_a_rating_that_makes_no_look_due_wakes_nobody(queue):
    rated, _ = planned()
    hold(rated, 1, [3, 3])
    talk = Conversation.objects.first()
    talk.ratings.all().delete()
    Conversation.objects.filter(pk=talk.pk).update(state="rating")
    calls()
    rate(talk)
    assert calls() == 0


def test_a_simulated_rating_wakes_nobody(last_talk):
    Conversation.objects.filter(pk=last_talk.pk).update(simulated=True)
    calls()
    rate(last_talk)
    assert calls() == 0


def test_a_call_that_got_lost_is_made_again_by_the_sweeper_once_in_a_while(last_talk):
    rate(last_talk)
    calls()
    sweeper.sweep_once()
    sweeper.sweep_once()
    assert calls() == 1


def test_the_sweeper_asks_for_nothing_once_the_look_is_taken(last_talk):
    rate(last_talk)
    take_look.apply((last_talk.arm.study_id,))
    calls()
    sweeper.sweep_once()
    assert calls() == 0


def test_a_queue_that_is_away_costs_no_rating(last_talk, monkeypatch):
    def away(*arguments, **options):
        raise OperationalError("no queue")

    monkeypatch.setattr(current_app, "send_task", away)
    rate(last_talk)
    last_talk.refresh_from_db()
    assert last_talk.state == "complete"


def test_a_study_that_is_gone_has_no_look():
    take_look.apply((987_654,), throw=True)
