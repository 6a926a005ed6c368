"""Batches, limits, failures, and parts that are loaded once."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from modelhub import registry
from modelhub.dialogue import Dialogue, Reply
from modelhub.errors import (
    AgentFailed,
    ChangedFiles,
    EngineBusy,
    EngineTimeout,
    NoCandidateLeft,
    UnknownRevision,
)
from modelhub.models import Revision
from modelhub.serving import batcher
from modelhub.serving.engine import WARMING, Engine

from .conftest import SOURCES, TEXTS, talk


class Echo:
    """Says what was said last, and keeps what it was asked. ``"break"`` breaks it, ``"hang"`` hangs it."""

    def __init__(self) -> None:
        self.batches: list[int] = []
        self.go_on = threading.Event()
        self.hanging = threading.Event()

    def reply(self, dialogues: Sequence[Dialogue]) -> list[Reply]:
        if list(dialogues) != [WARMING]:
            self.batches.append(len(dialogues))
        last = [dialogue.utterances[-1].text for dialogue in dialogues]
        if "break" in last:
            raise ValueError("it broke")
        if "hang" in last:
            self.hanging.set()
            self.go_on.wait(30)
        return [Reply(f"you said {text}") for text in last if text != "lose"]

    def suggest(self, dialogue: Dialogue, n: int) -> list[Reply]:
        return self.reply([dialogue])


@pytest.fixture
def echo() -> Iterator[Echo]:
    agent = Echo()
    yield agent
    agent.go_on.set()


@pytest.fixture
def start(echo: Echo) -> Iterator[Callable[..., Engine]]:
    """``start(time_limit_s=..., ...)``: an engine whose revisions are all the echo."""
    engines: list[Engine] = []

    def make(**limits: float) -> Engine:
        engines.append(Engine(lambda revision_id, part_of: echo, **limits))
        return engines[-1]

    yield make
    for engine in engines:
        engine.close()


def ask_all(engine: Engine, texts: Sequence[str], revision_id: int = 1) -> list[object]:
    """Ask from one thread each, all at once; replies' texts and errors in order."""
    gate = threading.Barrier(len(texts))

    def ask(text: str) -> object:
        gate.wait()
        try:
            return engine.reply(revision_id, talk(text)).reply.text
        except Exception as error:
            return error

    with ThreadPoolExecutor(len(texts)) as pool:
        return list(pool.map(ask, texts))


def test_fifty_callers_are_answered_in_batches_each_with_its_own(start, echo: Echo) -> None:
    engine = start(batch_size=32, batch_wait_ms=200)
    texts = [f"text {n}" for n in range(50)]
    assert ask_all(engine, texts) == [f"you said {text}" for text in texts]
    assert sum(echo.batches) == 50
    assert len(echo.batches) < 10 and max(echo.batches) <= 32


def test_a_full_batch_does_not_wait(start, echo: Echo) -> None:
    engine = start(batch_size=4, batch_wait_ms=60_000, time_limit_s=20)
    assert len(ask_all(engine, ["a", "b", "c", "d"])) == 4
    assert echo.batches == [4]


def test_an_agents_exception_reaches_the_caller_as_agent_failed(start) -> None:
    with pytest.raises(AgentFailed, match="revision 1 failed with ValueError") as caught:
        start().reply(1, talk("break"))
    assert str(caught.value.__cause__) == "it broke"


def test_one_dialogue_that_breaks_an_agent_costs_no_other_its_reply(start, echo: Echo) -> None:
    engine = start(batch_size=4, batch_wait_ms=60_000, time_limit_s=20)
    a, failed, b, c = ask_all(engine, ["a", "break", "b", "c"])
    assert [a, b, c] == ["you said a", "you said b", "you said c"]
    assert isinstance(failed, AgentFailed)
    assert echo.batches == [4, 1, 1, 1, 1]


def test_several_of_one_caller_wait_together_and_one_that_fails_stands_in_its_place(
    start, echo: Echo
) -> None:
    engine = start(batch_size=3, batch_wait_ms=60_000, time_limit_s=20, queue_size=3)
    a, failed, b, late = engine.replies(1, [talk(text) for text in ("a", "break", "b", "c")])
    assert [a.reply.text, b.reply.text] == ["you said a", "you said b"]
    assert isinstance(failed, AgentFailed)
    assert echo.batches[0] == 3
    assert isinstance(late, EngineBusy) or late.reply.text == "you said c"


def test_the_time_limit_of_several_counts_from_when_they_came(start, echo: Echo) -> None:
    engine = start(batch_size=1, time_limit_s=0.5)
    begun = time.monotonic()
    outcomes = engine.replies(1, [talk("hang") for _ in range(4)])
    assert all(isinstance(each, EngineTimeout) for each in outcomes)
    assert time.monotonic() - begun < 1.5


def test_a_revision_that_cannot_be_loaded_is_told_of_each() -> None:
    engine = Engine(missing)
    outcomes = engine.replies(4711, [talk("a"), talk("b")])
    assert [type(each) for each in outcomes] == [UnknownRevision] * 2


def missing(revision_id: int, part_of: object) -> None:
    raise UnknownRevision(f"there is no revision {revision_id}")


def test_the_engine_goes_on_after_an_exception(start) -> None:
    engine = start()
    assert isinstance(ask_all(engine, ["break"])[0], AgentFailed)
    assert engine.reply(1, talk("a")).reply.text == "you said a"


def test_a_reply_too_few_is_an_error(start) -> None:
    with pytest.raises(AgentFailed, match="gave 0 replies to 1 dialogues"):
        start().reply(1, talk("lose"))


def test_a_hung_agent_hits_its_limit_and_the_engine_goes_on(start) -> None:
    engine = start(time_limit_s=1)
    with pytest.raises(EngineTimeout, match=r"no reply within 1 s, while the model worked on it"):
        engine.reply(1, talk("hang"))
    assert engine.reply(1, talk("a")).reply.text == "you said a"


def put(engine: Engine, text: str) -> batcher.Request:
    """Queue a dialogue that no caller waits for."""
    request = batcher.Request(talk(text))
    assert engine._batcher(1)._waiting.put(request)
    return request


def test_a_caller_queued_behind_a_hung_batch_is_told_so_and_frees_the_queue(start, echo: Echo) -> None:
    engine = start(time_limit_s=1, batch_size=1)
    put(engine, "hang")
    assert echo.hanging.wait(5)
    with pytest.raises(EngineTimeout, match=r"no reply within 1 s, while waiting for its batch"):
        engine.reply(1, talk("a"))
    assert engine.reply(1, talk("b")).reply.text == "you said b"


def test_what_a_caller_gave_up_is_not_worked_on(start, echo: Echo) -> None:
    engine = start(time_limit_s=20, batch_size=1)
    put(engine, "hang")
    assert echo.hanging.wait(5)
    assert put(engine, "nobody waits for this").answer.cancel()
    echo.go_on.set()
    engine.reply(1, talk("a"))
    assert sum(echo.batches) == 2


def test_one_model_that_hangs_does_not_hold_up_another(start, echo: Echo) -> None:
    engine = start(time_limit_s=20)
    with ThreadPoolExecutor(1) as pool:
        hung = pool.submit(engine.reply, 1, talk("hang"))
        assert echo.hanging.wait(5)
        assert engine.reply(2, talk("a")).reply.text == "you said a"
        assert not hung.done()
        echo.go_on.set()


def test_a_model_that_keeps_hanging_is_refused_at_once(start, monkeypatch) -> None:
    monkeypatch.setattr(batcher, "MOST_HUNG", 2)
    engine = start(time_limit_s=1)
    for _ in range(2):
        with pytest.raises(EngineTimeout, match="no reply within"):
            engine.reply(1, talk("hang"))
    with pytest.raises(EngineTimeout, match="hangs in 2 threads; restart the worker"):
        engine.reply(1, talk("a"))


def test_a_thread_that_comes_back_is_no_longer_counted(start, echo: Echo, eventually) -> None:
    engine = start(time_limit_s=1)
    with pytest.raises(EngineTimeout):
        engine.reply(1, talk("hang"))
    assert engine._batcher(1)._hung == 1
    echo.go_on.set()
    eventually(lambda: engine._batcher(1)._hung == 0, "the hung thread's return")
    assert engine.reply(1, talk("a")).reply.text == "you said a"


def test_waiting_and_working_are_measured_apart(start, echo: Echo) -> None:
    engine = start(time_limit_s=20, batch_size=1)
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(engine.reply, 1, talk("hang"))
        assert echo.hanging.wait(5)
        second = pool.submit(engine.reply, 1, talk("a"))
        threading.Event().wait(0.3)
        echo.go_on.set()
        worked, waited = first.result(), second.result()
    assert worked.generated_ms >= 300 and worked.generated_ms > worked.waited_ms
    assert waited.waited_ms > waited.generated_ms


def test_a_revision_is_loaded_once_however_many_ask(echo: Echo) -> None:
    loads: list[int] = []

    def load(revision_id: int, part_of: object) -> Echo:
        loads.append(revision_id)
        return echo

    engine = Engine(load, batch_wait_ms=1)
    ask_all(engine, [f"text {n}" for n in range(20)])
    assert loads == [1]
    engine.close()


def test_an_error_of_loading_reaches_the_caller_and_is_tried_again(echo: Echo) -> None:
    answers = iter([RuntimeError("no disk"), echo])

    def load(revision_id: int, part_of: object) -> Echo:
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    engine = Engine(load)
    with pytest.raises(RuntimeError, match="no disk"):
        engine.reply(1, talk("a"))
    assert engine.reply(1, talk("a")).reply.text == "you said a"
    engine.close()


def test_a_queue_that_is_full_refuses_and_the_others_are_answered(start, echo: Echo) -> None:
    engine = start(time_limit_s=20, batch_size=1, queue_size=1)
    put(engine, "hang")
    assert echo.hanging.wait(5)
    waiting = put(engine, "a")
    with pytest.raises(
        EngineBusy, match="1 dialogues wait for it already, as many as SERVING_QUEUE_SIZE allows"
    ):
        engine.reply(1, talk("b"))
    echo.go_on.set()
    assert waiting.answer.result(5).reply.text == "you said a"


def test_one_model_that_hangs_leaves_threads_for_the_others(start, echo: Echo, settings) -> None:
    settings.SERVING_THREADS = 4
    engine = start(time_limit_s=20)
    assert engine.reply(2, talk("a"))
    with ThreadPoolExecutor(3) as pool:
        hung = [pool.submit(engine.reply, 1, talk("hang")) for _ in range(3)]
        assert echo.hanging.wait(5)
        with pytest.raises(EngineBusy, match="holds 3 of this worker's 4 threads"):
            engine.reply(1, talk("b"))
        assert engine.reply(2, talk("c")).reply.text == "you said c"
        echo.go_on.set()
        assert len([each.result() for each in hung]) == 3
    assert engine.reply(1, talk("d")).reply.text == "you said d"


def test_a_model_that_is_alone_may_hold_every_thread(start, echo: Echo, settings) -> None:
    settings.SERVING_THREADS = 2
    engine = start(batch_size=4, batch_wait_ms=60_000, time_limit_s=20)
    assert len(ask_all(engine, ["a", "b", "c", "d"])) == 4


# --- With registered models ---------------------------------------------------------------------------------------


@pytest.fixture
def engine(use_tiny_base: None, db: None) -> Iterator[Engine]:
    engine = Engine()
    yield engine
    engine.close()


@pytest.fixture
def skills(make_model) -> list[Revision]:
    return [
        registry.register(skill, skill, "retrieval", make_model(skill, seed), {"skill": skill})
        for seed, skill in enumerate(("convai2", "wow", "ed"))
    ]


def test_a_registered_model_answers_through_the_engine(engine: Engine, skills) -> None:
    answer = engine.reply(skills[2].pk, talk("hello"))
    assert answer.reply.text in TEXTS
    assert answer.reply.evidence["skill"] == "ed"
    assert answer.reply.evidence["source"] == SOURCES[answer.reply.evidence["candidate"]]


def test_evidence_is_small_plain_json(engine: Engine, skills, make_manager) -> None:
    import json

    two_stage = registry.register("two", "Two", "two_stage", make_manager("wow"), {}, skills)
    evidence = engine.reply(two_stage.pk, talk("hello")).reply.evidence
    assert len(json.dumps(evidence)) < 300


def test_composites_hold_the_very_agents_that_are_loaded(engine: Engine, skills, make_manager) -> None:
    random = registry.register("random", "Random", "random_skill", None, {}, skills)
    two_stage = registry.register("two", "Two", "two_stage", make_manager("wow"), {}, skills)
    for whole in (random, two_stage):
        parts = engine.agent(whole.pk).parts
        assert list(parts) == ["convai2", "wow", "ed"]
        for revision in skills:
            assert parts[revision.config["skill"]] is engine.agent(revision.pk)


def test_all_loaded_networks_share_the_base(engine: Engine, skills, make_manager) -> None:
    two_stage = registry.register("two", "Two", "two_stage", make_manager("wow"), {}, skills)
    networks = [engine.agent(skill.pk).network for skill in skills] + [engine.agent(two_stage.pk).manager]
    words = {network.encoder.embeddings.word_embeddings.weight.data_ptr() for network in networks}
    assert len(words) == 1


def test_loading_reports_each_model_and_passes_over_what_is_loaded(engine: Engine, skills) -> None:
    lines: list[str] = []
    engine.load([skills[0].pk, skills[1].pk, skills[0].pk], lines.append)
    assert [line.split(" is ")[0] for line in lines] == [f"revision {skill.pk}" for skill in skills[:2]]
    assert engine.loaded == sorted(skill.pk for skill in skills[:2])


def test_an_unknown_revision_is_a_clear_error(engine: Engine) -> None:
    with pytest.raises(UnknownRevision, match="There is no revision 4711"):
        engine.reply(4711, talk("hello"))


def test_changed_files_are_never_served(engine: Engine, make_model) -> None:
    folder = make_model()
    revision = registry.register("m", "M", "retrieval", folder, {"skill": "ed"})
    (folder / "bank.jsonl").write_text('{"id": 0, "text": "buy gold", "source": "ed"}\n')
    with pytest.raises(ChangedFiles, match="the files changed"):
        engine.reply(revision.pk, talk("hello"))


def test_a_used_up_bank_reaches_only_its_own_caller(engine: Engine, skills) -> None:
    whole, used_up = talk("hello"), talk(*TEXTS)
    batched = Engine(batch_size=2, batch_wait_ms=60_000, time_limit_s=20)
    batched.load([skills[0].pk])
    with ThreadPoolExecutor(2) as pool:
        good, bad = (
            pool.submit(batched.reply, skills[0].pk, whole),
            pool.submit(batched.reply, skills[0].pk, used_up),
        )
        assert good.result().reply.text in TEXTS
        with pytest.raises(NoCandidateLeft):
            bad.result()
    batched.close()


def test_a_missing_gpu_says_what_to_set(engine: Engine, skills, settings) -> None:
    import torch

    from modelhub.errors import CheckpointError

    if torch.cuda.is_available():
        pytest.skip("there is a GPU")
    settings.SERVING_DEVICE = "cuda"
    with pytest.raises(CheckpointError, match="SERVING_DEVICE is cuda, but torch finds no GPU"):
        engine.reply(skills[0].pk, talk("hello"))
