"""One model's queue: callers wait, a thread answers them together.

A thread that hangs cannot be stopped. Its callers leave at their time limit, another thread takes over the queue,
and what the old one brings later is thrown away.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from dataclasses import dataclass, field

from modelhub.agents.base import Agent
from modelhub.dialogue import Dialogue, Reply
from modelhub.errors import AgentFailed, EngineBusy, EngineTimeout, ModelhubError
from modelhub.serving import metrics
from modelhub.serving.waiting import Waiting

log = logging.getLogger(__name__)

#: Hung threads that a model may have before it refuses at once: each holds its memory for good.
MOST_HUNG = 4


@dataclass(frozen=True, slots=True)
class Answer:
    """A reply, and how long it waited for its batch and was worked on, in milliseconds."""

    reply: Reply
    waited_ms: int
    generated_ms: int


@dataclass(frozen=True, slots=True, eq=False)
class Request:
    """A dialogue that waits for its answer."""

    dialogue: Dialogue
    answer: Future[Answer] = field(default_factory=Future)
    asked_at: float = field(default_factory=time.monotonic)


class Batcher:
    """Gathers what waits for one agent, up to ``size`` dialogues or ``wait_s`` seconds after the first came.

    At most ``bound`` dialogues wait; the next is refused.
    """

    def __init__(
        self,
        agent: Agent,
        name: str,
        *,
        size: int,
        wait_s: float,
        time_limit_s: float,
        bound: int,
    ) -> None:
        self.agent = agent
        self._name = name
        self._time_limit_s = time_limit_s
        self._waiting: Waiting[Request] = Waiting(
            size=size, wait_s=wait_s, bound=bound, length_of=lambda request: length_of(request.dialogue)
        )
        self._lock = threading.Lock()
        self._hung = 0
        self._worker: _Worker | None = None
        self._start()

    def ask(self, dialogue: Dialogue) -> Answer:
        """Block until the reply is there. Raises EngineBusy, EngineTimeout, AgentFailed."""
        return self.answer(self.begin(dialogue))

    def begin(self, dialogue: Dialogue) -> Request:
        """Let a dialogue wait for its batch. Raises EngineBusy, EngineTimeout."""
        if self._hung >= MOST_HUNG:
            raise EngineTimeout(f"{self._name} hangs in {self._hung} threads; restart the worker.")
        request = Request(dialogue)
        if not self._waiting.put(request):
            raise EngineBusy(
                f"{self._name}: {self._waiting.bound} dialogues wait for it already, as many as SERVING_QUEUE_SIZE "
                "allows; start another worker that holds it, or ask again in a moment."
            )
        return request

    def answer(self, request: Request) -> Answer:
        """Block until the reply is there, as long as the time limit since it was begun. Raises as ``ask``."""
        left_s = request.asked_at + self._time_limit_s - time.monotonic()
        try:
            return request.answer.result(max(0.0, left_s))
        except FutureTimeout:
            was_waiting = request.answer.cancel()
            self._replace_hung_thread()
            where = "while waiting for its batch" if was_waiting else "while the model worked on it"
            raise EngineTimeout(
                f"{self._name} gave no reply within {self._time_limit_s:g} s, {where}; "
                "ask again, or raise SERVING_TIME_LIMIT_S."
            ) from None

    def close(self) -> None:
        """Let the thread end after what is queued."""
        self._waiting.close()

    def _start(self) -> None:
        """Only under the lock, or before others know of this batcher."""
        self._worker = _Worker()
        name = f"batch {self._name}"
        threading.Thread(target=self._run, args=(self._worker,), name=name, daemon=True).start()

    def _run(self, worker: _Worker) -> None:
        while not worker.replaced:
            batch = self._gather()
            if batch is None:
                return
            worker.busy_since = time.monotonic()
            answer_batch(self.agent, self._name, batch)
            worker.busy_since = None
        with self._lock:
            self._hung -= 1
        log.warning("a hung thread came back", extra={"model": self._name})

    def _gather(self) -> list[Request] | None:
        """The next batch, of requests whose callers still wait; None when it is time to end."""
        while (batch := self._waiting.take()) is not None:
            if wanted := [each for each in batch if each.answer.set_running_or_notify_cancel()]:
                return wanted
        return None

    def _replace_hung_thread(self) -> None:
        """Put another thread in the place of one that hangs.

        A batch counts as hung after half the time limit: the caller that noticed may have waited before it, and a
        batch that just began behind slow ones must be left to finish.
        """
        with self._lock:
            worker = self._worker
            busy_since = worker.busy_since if worker else None
            if busy_since is None or time.monotonic() - busy_since < self._time_limit_s / 2:
                return
            assert worker is not None
            worker.replaced = True
            self._hung += 1
            self._start()
        log.error(
            "a model hangs: another thread takes its queue", extra={"model": self._name, "hung": self._hung}
        )


class _Worker:
    """What is known of one thread: since when it works on a batch, and whether another took its place."""

    __slots__ = ("busy_since", "replaced")

    def __init__(self) -> None:
        self.busy_since: float | None = None
        self.replaced = False


def length_of(dialogue: Dialogue) -> int:
    """Characters that an agent reads, which tell well enough how many tokens there are."""
    persona = sum(len(sentence) for sentence in dialogue.context.model_persona)
    return persona + sum(len(utterance.text) for utterance in dialogue.said)


def answer_batch(agent: Agent, name: str, batch: Sequence[Request]) -> None:
    """Answer every request of a batch, with an error when there is one.

    When a batch of several fails, each is tried by itself: one dialogue that breaks an agent must not cost the
    others their replies.
    """
    begun = time.monotonic()
    try:
        replies = agent.reply([request.dialogue for request in batch])
        if len(replies) != len(batch):
            raise AgentFailed(
                f"{name} gave {len(replies)} replies to {len(batch)} dialogues; correct the agent."
            )
    except Exception as error:
        _after_failure(agent, name, batch, error)
        return
    worked_s = time.monotonic() - begun
    metrics.answered(name, (begun - request.asked_at for request in batch), worked_s)
    generated_ms = round(worked_s * 1000)
    for request, reply in zip(batch, replies, strict=True):
        request.answer.set_result(Answer(reply, round((begun - request.asked_at) * 1000), generated_ms))


def _after_failure(agent: Agent, name: str, batch: Sequence[Request], error: Exception) -> None:
    if len(batch) > 1:
        for request in batch:
            answer_batch(agent, name, [request])
        return
    if not isinstance(error, ModelhubError):
        log.exception("a model failed", extra={"model": name})
        failed = AgentFailed(f"{name} failed with {type(error).__name__}; its log has the trace.")
        failed.__cause__ = error
        error = failed
    batch[0].answer.set_exception(error)
