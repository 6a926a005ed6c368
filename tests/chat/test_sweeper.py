"""Idle talks end and lost replies are asked for again. Clocks are moved in the rows; nothing waits."""

import signal
import subprocess
import sys
import threading
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.utils import timezone

from chat import assignment, endings, replies, sweeper, turns
from chat.models import Conversation, Turn
from modelhub.dialogue import Reply

State = Conversation.State
NOTHING = sweeper.Swept(abandoned=0, asked_again=0, delivered=0, forgotten=0)
pytestmark = pytest.mark.django_db


def idle_for(minutes: float) -> None:
    Conversation.objects.update(last_activity_at=timezone.now() - timedelta(minutes=minutes))


def leases_run_out() -> None:
    Turn.objects.update(lease_until=timezone.now() - timedelta(seconds=1))


def owed_for(seconds: float) -> None:
    Turn.objects.update(asked_at=timezone.now() - timedelta(seconds=seconds))


@pytest.fixture
def turn(talk, participation) -> Turn:
    """A reply that is owed."""
    turns.say(talk.id, participation.id, "I had a quiet day.", "c1")
    return talk.turns.get()


@pytest.mark.parametrize("stage", [State.CHATTING, State.RATING])
def test_an_idle_talk_is_abandoned_and_kept_and_its_slot_freed(talk, study, stage):
    Conversation.objects.update(state=stage)
    idle_for(31)
    assert sweeper.sweep_once().abandoned == 1
    talk.refresh_from_db()
    assert talk.state == State.ABANDONED and talk.ended_at
    assert study.arms.get().taken == 0


def test_a_talk_idle_for_less_goes_on(talk):
    idle_for(29)
    assert sweeper.sweep_once().abandoned == 0


def test_each_study_has_its_own_limit(make_study, join):
    patient, hasty = make_study(idle_limit=timedelta(hours=2)), make_study(idle_limit=timedelta(minutes=5))
    for study in (patient, hasty):
        assignment.start_talk(join(study))
    idle_for(10)
    sweeper.sweep_once()
    assert [c.arm.study for c in Conversation.objects.filter(state=State.ABANDONED)] == [hasty]


def test_ended_talks_are_left_alone(talk, study):
    Conversation.objects.update(state=State.COMPLETE)
    idle_for(300)
    assert sweeper.sweep_once().abandoned == 0
    assert study.arms.get().taken == 1


@pytest.mark.parametrize("act", ["say", "reply", "typing"])
def test_what_happens_in_a_talk_keeps_it_from_being_idle(talk, participation, act):
    turns.say(talk.id, participation.id, "I had a quiet day.", "c1")
    if act != "reply":
        replies.answer(talk.turns.get().id, Reply("Lovely."), 1, 2)
    idle_for(31)
    match act:
        case "say":
            turns.say(talk.id, participation.id, "And a quiet evening.", "c2")
        case "reply":
            replies.answer(talk.turns.get().id, Reply("Lovely."), 1, 2)
        case "typing":
            turns.note_presence(talk.id)
    assert sweeper.sweep_once().abandoned == 0


def test_who_abandoned_a_talk_may_begin_another(talk, participation):
    idle_for(31)
    sweeper.sweep_once()
    assert assignment.start_talk(participation) != talk


def test_a_reply_whose_worker_died_is_asked_for_again(turn):
    replies.claim(turn.id)
    leases_run_out()
    assert sweeper.sweep_once().asked_again == 1
    turn.refresh_from_db()
    assert (turn.state, turn.attempt) == (Turn.State.ASKED, 1)
    assert replies.claim(turn.id).attempt == 2


def test_a_reply_that_nobody_took_is_asked_for_again(turn):
    assert sweeper.sweep_once().asked_again == 0
    leases_run_out()
    assert sweeper.sweep_once().asked_again == 1
    assert sweeper.sweep_once().asked_again == 0


def test_after_the_last_attempt_the_talk_fails_and_its_slot_is_back(turn, talk, study, settings):
    settings.TURN_ATTEMPTS = 3
    for _ in range(3):
        talk.refresh_from_db()
        assert talk.state == State.CHATTING
        replies.claim(turn.id)
        leases_run_out()
        sweeper.sweep_once()
    talk.refresh_from_db()
    turn.refresh_from_db()
    assert (talk.state, turn.state) == (State.FAILED, Turn.State.FAILED)
    assert study.arms.get().taken == 0
    assert sweeper.sweep_once() == NOTHING


def test_a_turn_that_nobody_takes_is_asked_later_and_later_and_never_counts_as_tried(turn, settings):
    settings.TURN_TAKE_S = 5
    waits = []
    for _ in range(6):
        leases_run_out()
        now = timezone.now()
        assert sweeper.sweep_once().asked_again == 1
        turn.refresh_from_db()
        waits.append(round((turn.lease_until - now).total_seconds()))
    assert waits == [10, 20, 40, 40, 40, 40]
    assert (turn.state, turn.attempt, turn.asked_again) == (Turn.State.ASKED, 0, 6)


@pytest.mark.parametrize("taken", [True, False])
def test_a_reply_that_is_owed_for_too_long_ends_the_talk_whatever_is_tried(turn, talk, settings, taken):
    if taken:
        replies.claim(turn.id)
    owed_for(settings.TURN_LIMIT_S - 1)
    sweeper.sweep_once()
    talk.refresh_from_db()
    assert talk.state == State.CHATTING
    owed_for(settings.TURN_LIMIT_S + 1)
    sweeper.sweep_once()
    talk.refresh_from_db()
    assert talk.state == State.FAILED


def test_a_talk_whose_reply_came_while_the_sweeper_looked_is_not_ended(turn, talk):
    replies.claim(turn.id)
    seen = Turn.objects.get()
    replies.answer(turn.id, Reply("Just in time."), 1, 2)
    assert not replies._fail(seen)
    talk.refresh_from_db()
    assert talk.state == State.CHATTING


def test_a_talk_in_which_something_was_said_while_the_sweeper_looked_is_not_closed(talk, participation):
    idle_for(31)
    cutoff = timezone.now() - timedelta(minutes=30)
    turns.say(talk.id, participation.id, "I am back.", "c1")
    assert not endings.end(talk.id, State.ABANDONED, idle_since=cutoff)


def test_while_the_queue_is_away_no_turn_is_put_off(turn, monkeypatch):
    leases_run_out()
    before = Turn.objects.get().lease_until
    with monkeypatch.context() as away:
        away.setattr("chat.asking.ask", lambda *_: False)
        assert sweeper.sweep_once() == NOTHING
    assert Turn.objects.get().lease_until == before
    assert sweeper.sweep_once().asked_again == 1


def test_a_slow_reply_that_comes_after_its_lease_is_still_taken_once(turn, talk):
    replies.claim(turn.id)
    leases_run_out()
    sweeper.sweep_once()
    assert replies.answer(turn.id, Reply("Slow but here."), 1, 2)
    assert replies.claim(turn.id) is None
    assert talk.messages.count() == 2


def test_a_talk_that_cannot_be_ended_does_not_keep_the_others_waiting(make_study, join, monkeypatch):
    faulty, sound = (assignment.start_talk(join(make_study())) for _ in range(2))
    for talk in (faulty, sound):
        turns.say(talk.id, talk.participation_id, "I had a quiet day.", "c1")
    real = assignment.give_back

    def give_back(talk: Conversation) -> None:
        if talk.pk == faulty.pk:
            raise ValueError("whatever is wrong with it")
        real(talk)

    monkeypatch.setattr(assignment, "give_back", give_back)
    owed_for(100)
    assert sweeper.sweep_once().asked_again == 1
    sound.refresh_from_db()
    assert sound.state == State.FAILED


def test_the_command_sweeps_once_and_says_what_it_did(talk, capsys):
    idle_for(31)
    call_command("sweep", "--once")
    assert capsys.readouterr().out == "1 abandoned, 0 asked again, 0 delivered, 0 traces forgotten\n"


def test_sweeping_goes_on_until_it_is_told_to_stop(talk, monkeypatch):
    idle_for(31)
    stop = threading.Event()
    swept = []

    def sweep() -> None:
        swept.append(real())
        if len(swept) == 2:
            stop.set()
            raise OSError("whatever fails")

    real = sweeper.sweep_once
    monkeypatch.setattr(sweeper, "sweep_once", sweep)
    monkeypatch.setattr(sweeper, "close_old_connections", lambda: None)
    sweeper.sweep_until(stop, interval_s=0.001)
    assert [each.abandoned for each in swept] == [1, 0]
    Conversation.objects.get(state=State.ABANDONED)


def test_the_command_ends_at_sigterm(settings, tmp_path, monkeypatch, eventually):
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.setenv("COLLOQUY_DATA", str(tmp_path))
    command = [sys.executable, "manage.py", "sweep"]
    process = subprocess.Popen(command, cwd=settings.BASE_DIR, stderr=subprocess.PIPE, text=True)
    # Its tables are missing, so that the first sweep says so: then it runs, and lives on.
    assert any("a sweep failed" in line for line in process.stderr)
    process.send_signal(signal.SIGTERM)
    _, rest = process.communicate(timeout=30)
    assert process.returncode == 0, rest


# A signal that comes while the event's own lock is held, as it is for a moment in each `wait`.
SIGNALLED_INSIDE_WAIT = """
import os, signal, threading, time
import django
django.setup()
from chat.management.commands import sweep

class Event(threading.Event):
    def wait(self, timeout=None):
        with self._cond:
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(0.2)
        return super().wait(timeout)

sweep.threading.Event = Event
sweep.sweeper.sweep_once = lambda: None
sweep.Command().handle(once=False)
"""


def test_the_command_ends_at_a_signal_that_comes_as_it_begins_to_wait(settings, tmp_path, monkeypatch):
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.setenv("COLLOQUY_DATA", str(tmp_path))
    monkeypatch.setenv("DJANGO_SETTINGS_MODULE", "evalsite.settings")
    command = [sys.executable, "-c", SIGNALLED_INSIDE_WAIT]
    subprocess.run(command, cwd=settings.BASE_DIR, check=True, timeout=30)
