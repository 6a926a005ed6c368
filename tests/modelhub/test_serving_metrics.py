"""What a worker counts of its batches."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest
from prometheus_client import REGISTRY

from modelhub.dialogue import Context, Dialogue, Reply, Speaker, Utterance
from modelhub.errors import AgentFailed
from modelhub.models import Revision
from modelhub.serving.engine import Engine


def told(name: str, model: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(f"colloquy_{name}", {"model": model, **labels}) or 0


def dialogue(key: str) -> Dialogue:
    return Dialogue(context=Context(), utterances=(Utterance(Speaker.WORKER, "hello"),), key=key)


class Answers:
    def reply(self, dialogues: Sequence[Dialogue]) -> list[Reply]:
        if any(one.key == "bad" for one in dialogues):
            raise AgentFailed("no")
        return [Reply("hello", {}) for _ in dialogues]


@pytest.fixture
def engine() -> Iterator[Engine]:
    """Takes three turns at once, or what came within half a second."""
    made = Engine(lambda revision_id, part_of: Answers(), batch_size=3, batch_wait_ms=500)  # type: ignore[arg-type,return-value]
    yield made
    made.close()


def test_turns_of_one_batch_are_counted_together(engine: Engine) -> None:
    with ThreadPoolExecutor(3) as threads:
        list(threads.map(lambda key: engine.reply(9001, dialogue(key)), "abc"))
    model = "revision 9001"
    assert (told("batch_turns_count", model), told("batch_turns_sum", model)) == (1, 3)
    assert told("batch_seconds_count", model) == 1
    assert told("queue_seconds_count", model) == 3


def test_a_turn_that_nobody_could_answer_is_no_answered_batch(engine: Engine) -> None:
    with pytest.raises(AgentFailed):
        engine.reply(9002, dialogue("bad"))
    assert told("batch_turns_count", "revision 9002") == 0


@pytest.mark.django_db
def test_a_registered_model_is_told_by_its_reference(make_revision: Callable[..., Revision]) -> None:
    revision = make_revision()
    before = told("batch_turns_count", revision.reference)  # of other tests' models of this name
    registered = Engine()
    registered.reply(revision.pk, dialogue("a"))
    registered.close()
    assert told("batch_turns_count", revision.reference) == before + 1
