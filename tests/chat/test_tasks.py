"""What a worker's task does with several turns, and when the database is away."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import pytest
from django.db import OperationalError

import modelhub.serving.engine as engines
from chat import asking, assignment, replies, tasks, turns
from chat.models import Conversation, Turn
from modelhub.dialogue import Dialogue, Reply
from modelhub.errors import EngineBusy


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks, "STORE_AGAIN_S", (0.0, 0.0))


def store(fails: int, tried: list[int]) -> None:
    tried.append(1)
    if len(tried) <= fails:
        raise OperationalError("the server closed the connection unexpectedly")


@pytest.mark.parametrize("fails", [0, 1, 2])
def test_a_reply_that_is_made_is_stored_when_the_database_is_back(fails):
    tried: list[int] = []
    tasks._through_a_restart(lambda: store(fails, tried))
    assert len(tried) == fails + 1


def test_a_database_that_stays_away_is_told():
    tried: list[int] = []
    with pytest.raises(OperationalError):
        tasks._through_a_restart(lambda: store(9, tried))
    assert len(tried) == 3


# --- Several turns ------------------------------------------------------------------------------------------------


class Particular:
    """Answers with what was said; fails and is busy when it is told to. Keeps the sizes of its batches."""

    def __init__(self) -> None:
        self.batches: list[int] = []

    def reply(self, dialogues: Sequence[Dialogue]) -> list[Reply]:
        if dialogues[0].key == "warming":
            return [Reply("warm")]
        self.batches.append(len(dialogues))
        last = [dialogue.utterances[-1].text for dialogue in dialogues]
        if any("fail" in text for text in last):
            raise ValueError("told to fail")
        if any("busy" in text for text in last):
            raise EngineBusy("told to be busy")
        return [Reply(f"You said: {text}") for text in last]


@pytest.fixture
def particular(monkeypatch: pytest.MonkeyPatch) -> Iterator[Particular]:
    agent = Particular()
    made = engines.Engine(lambda revision_id, part_of: agent, batch_size=4, batch_wait_ms=200)  # type: ignore[arg-type,return-value]
    monkeypatch.setattr(engines, "_engine", made)
    yield agent
    made.close()


@pytest.fixture
def owing(study, join) -> Callable[[str], Turn]:
    """``owing(text)``: a talk's first turn, which is owed an answer to this."""

    def make(text: str) -> Turn:
        talk = assignment.start_talk(join(study))
        turns.say(talk.pk, talk.participation_id, text, "c1")
        return talk.turns.get()

    return make


@pytest.mark.django_db(transaction=True)
def test_the_turns_of_a_task_are_one_batch_and_each_gets_its_own(particular, owing, monkeypatch) -> None:
    asked: list[int] = []
    monkeypatch.setattr(asking, "ask_soon", lambda turn_id, _: asked.append(turn_id))
    monkeypatch.setattr(asking, "ask", lambda turn_id, _, after_s=0: asked.append(turn_id))
    good, failing, busy, taken = (owing(f"Please {what}.") for what in ("answer", "fail", "be busy", "wait"))
    replies.claim(taken.pk)
    asked.clear()
    tasks.answer_turns([good.pk, failing.pk, busy.pk, taken.pk, 4711])
    assert particular.batches[0] == 3
    for turn in (good, failing, busy, taken):
        turn.refresh_from_db()
    assert [turn.state for turn in (good, failing, busy, taken)] == [
        Turn.State.ANSWERED,
        Turn.State.ASKED,
        Turn.State.ASKED,
        Turn.State.RUNNING,
    ]
    assert (failing.attempt, busy.attempt) == (1, 0)
    assert sorted(asked) == sorted([failing.pk, busy.pk])
    said = good.conversation.messages.get(position=2)
    assert said.text == "You said: Please answer."
    assert Conversation.objects.filter(messages__position=2).count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_message_too_many_for_one_task_makes_several(settings, monkeypatch) -> None:
    settings.TURNS_A_TASK = 3
    sent: list[list[int]] = []
    monkeypatch.setattr(asking, "_put", lambda turn_ids, queue: sent.append([*turn_ids]))
    asking._put_all(("serve", 1), list(range(7)))
    assert sent == [[0, 1, 2], [3, 4, 5], [6]]
