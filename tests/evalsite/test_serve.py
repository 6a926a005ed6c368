"""``manage.py serve``: workers of a group take their models' turns, and only theirs."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import connections

from chat import assignment, turns
from chat.models import Conversation, Message
from modelhub.models import ServedModel, ServingWorker
from modelhub.serving import routing


def test_a_model_that_is_not_registered_is_named_with_those_that_are(make_revision) -> None:
    make_revision()
    with pytest.raises(CommandError, match="No model 'wow' is registered; registered are: scripted-0"):
        call_command("serve", "--models", "wow")


@pytest.fixture
def serve(transactional_db: None) -> Iterator[Callable[..., subprocess.Popen[bytes]]]:
    """``serve("--models", "a")``: a worker as a process of its own, on the tests' database and queue."""
    started: list[subprocess.Popen[bytes]] = []

    def start(*arguments: str) -> subprocess.Popen[bytes]:
        given = os.environ | {"DATABASE_URL": database_url(), "SERVING_HEARTBEAT_S": "1"}
        command = [sys.executable, str(settings.BASE_DIR / "manage.py"), "serve", *arguments]
        started.append(subprocess.Popen(command, env=given, stderr=subprocess.DEVNULL))
        return started[-1]

    yield start
    for process in started:
        if process.poll() is None:
            process.terminate()
            process.wait(30)


def database_url() -> str:
    """The tests' own database, for another process."""
    given = connections["default"].settings_dict
    if connections["default"].vendor == "sqlite":
        return f"sqlite:///{given['NAME']}"
    server, _, _ = os.environ["DATABASE_URL"].rpartition("/")
    return f"{server}/{given['NAME']}"


def reply(talk: Conversation) -> str:
    """What the model answers to a first message; fails after twenty seconds."""
    turns.say(talk.pk, talk.participation_id, "Hello, how was your day?", f"c{time.time_ns()}")
    for _ in range(200):
        if said := talk.messages.filter(speaker=Message.Speaker.MODEL).first():
            return said.text
        time.sleep(0.1)
    pytest.fail("no reply came")


def test_each_group_answers_for_its_models(make_study, join, serve, eventually) -> None:
    study = make_study(arms=2)
    first, second = (arm.revision for arm in study.arms.order_by("position"))
    one, rest = serve("--models", first.model.slug), serve()
    ready = ServingWorker.objects.filter(state=ServingWorker.State.READY)
    eventually(lambda: ready.count() == 2, "two workers that are ready", 60)
    routing.forget()
    assert routing.queue_of(first.pk) == f"serve.{first.model.slug}"
    assert routing.queue_of(second.pk) == "serve"
    talks = [assignment.start_talk(join(study)) for _ in range(2)]
    assert [reply(talk) for talk in talks] == ["Reply number 1 is here."] * 2
    assert ServedModel.objects.filter(worker__group=first.model.slug).get().revision == first
    for process in (one, rest):
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
    assert not ServingWorker.objects.exists()
