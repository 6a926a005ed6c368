"""Nothing that a browser receives tells which model it talks to."""

import dataclasses
import subprocess
import sys

import pytest
from django.conf import settings

from chat import events, replies, turns
from chat.models import Arm
from chat.standing import event_of, state_of
from modelhub.dialogue import Reply

#: What would give a model away, or come from where its identity is kept.
GIVES_AWAY = {"model", "arm", "revision", "slug", "name", "kind", "evidence", "score", "skill", "ms", "queue"}
PLAIN = {"str", "int", "bool", "Phase", "Literal['you', 'partner']"}
ALLOWED = {
    "state": {"type", "phase", "turn", "of", "words", "may_finish"},
    "message": {"type", "position", "speaker", "text", "at"},
    "accepted": {"type", "client_id", "position"},
    "refused": {"type", "client_id", "code", "reason"},
    "typing": {"type"},
    "notice": {"type", "code", "text"},
}


def every_event() -> list[type[events.Event]]:
    classes = [value for value in vars(events).values() if isinstance(value, type)]
    return [each for each in classes if issubclass(each, events.Event) and each is not events.Event]


def test_every_event_has_exactly_the_fields_that_are_allowed():
    assert {event.type: events.field_names(event) for event in every_event()} == ALLOWED


@pytest.mark.parametrize("event", every_event(), ids=lambda event: event.type)
def test_no_event_has_a_field_that_could_name_a_model(event):
    for field in dataclasses.fields(event):
        assert not GIVES_AWAY & set(field.name.split("_"))
        assert field.type in PLAIN


def test_events_cannot_be_changed_after_they_are_made():
    for event in every_event():
        assert event.__dataclass_params__.frozen


def test_times_are_told_to_the_second_only(talk, participation):
    message = turns.say(talk.id, participation.id, "Hello there friend", "c1")
    assert "." not in event_of(message).at


def test_a_reply_reaches_the_browser_without_its_evidence(talk, participation):
    turns.say(talk.id, participation.id, "Hello there friend", "c1")
    canary = "canary-7d1f"
    Arm.objects.get().revision.model.__class__.objects.update(name=canary, slug=canary)
    reply = Reply("Fine, and you?", {"source": canary, "candidate": canary})
    message = replies.answer(talk.turns.get().id, reply, 3, 4)
    assert message.evidence["source"] == canary
    talk.refresh_from_db()
    sent = [event_of(message), state_of(talk), *turns.resume(talk, 0)]
    assert canary not in repr([event.to_frame() for event in sent])


def test_a_web_process_never_loads_torch():
    code = "import django; django.setup(); import evalsite.asgi, chat.tasks, chat.participation, sys; "
    loaded = subprocess.run(
        [sys.executable, "-c", code + "print('torch' in sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
        cwd=settings.BASE_DIR,
    )
    assert loaded.stdout.strip() == "False"
