"""The engine of a worker process: loads revisions and answers dialogues with them.

torch is imported when the first revision is loaded, so importing this module is cheap.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from math import inf
from typing import TypeVar

from django.conf import settings

from modelhub import registry
from modelhub.agents.base import Agent
from modelhub.dialogue import Context, Dialogue, Speaker, Utterance
from modelhub.errors import AgentFailed, EngineBusy, ModelhubError
from modelhub.models import ServedModel
from modelhub.serving import metrics
from modelhub.serving.batcher import Answer, Batcher

__all__ = ["Answer", "Engine", "Loader", "engine"]

log = logging.getLogger(__name__)
Result = TypeVar("Result")

#: Of a worker's threads that one of several models may hold at once.
SHARE_OF_THREADS = 0.75
#: How long a revision that did not fit is not tried again.
REFUSED_FOR_S = 60.0

#: Loads a revision by its id; its second argument gives the loaded agents of other revisions, for composites.
Loader = Callable[[int, Callable[[int], Agent]], Agent]

#: Long enough that a worker's first real batch finds memory and kernels in place.
WARMING = Dialogue(
    context=Context(model_persona=("i like to warm up first.",)),
    utterances=(Utterance(Speaker.WORKER, "hello there, this is the first message of the day. " * 8),),
    key="warming",
)


#: Is told what becomes of a revision: its id, a ServedModel.State, and for a refusal why.
Watcher = Callable[[int, str, str], None]


def _nobody(revision_id: int, state: str, detail: str) -> None:
    """No watcher."""


class Engine:
    """Loaded agents, each with its batcher. Safe to use from any number of threads.

    Limits are the settings SERVING_BATCH_SIZE, SERVING_BATCH_WAIT_MS, SERVING_TIME_LIMIT_S and SERVING_QUEUE_SIZE
    unless given.
    """

    def __init__(
        self,
        load_agent: Loader | None = None,
        *,
        batch_size: int | None = None,
        batch_wait_ms: float | None = None,
        time_limit_s: float | None = None,
        queue_size: int | None = None,
    ) -> None:
        self._load_agent = load_agent or _load_registered
        self._batch_size = settings.SERVING_BATCH_SIZE if batch_size is None else batch_size
        self._batch_wait_ms = settings.SERVING_BATCH_WAIT_MS if batch_wait_ms is None else batch_wait_ms
        self._time_limit_s = settings.SERVING_TIME_LIMIT_S if time_limit_s is None else time_limit_s
        self._queue_size = settings.SERVING_QUEUE_SIZE if queue_size is None else queue_size
        self.watcher: Watcher = _nobody
        self._batchers: dict[int, Batcher] = {}
        self._refused: dict[int, tuple[float, ModelhubError]] = {}
        self._asking: Counter[int] = Counter()
        self._counting = threading.Lock()
        # Held while a revision loads, and re-entered for a composite's parts; replies of loaded ones go on.
        self._loading = threading.RLock()

    def reply(self, revision_id: int, dialogue: Dialogue) -> Answer:
        """Block until a revision's reply is there; loads the revision when nothing has yet.

        Raises UnknownRevision, EngineBusy, EngineTimeout, AgentFailed, and the errors of loading.
        """
        [outcome] = self.replies(revision_id, [dialogue])
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    def replies(self, revision_id: int, dialogues: Sequence[Dialogue]) -> list[Answer | Exception]:
        """``reply`` for several that wait together; what it would raise for one of them stands in its place."""
        try:
            with self._place(revision_id):
                batcher = self._batcher(revision_id)
                begun = [_tried(partial(batcher.begin, dialogue)) for dialogue in dialogues]
                return [
                    each if isinstance(each, Exception) else _tried(partial(batcher.answer, each))
                    for each in begun
                ]
        except ModelhubError as error:
            return [error for _ in dialogues]

    @contextmanager
    def _place(self, revision_id: int) -> Iterator[None]:
        """One of the threads that a model may hold. Raises EngineBusy."""
        with self._counting:
            if self._asking[revision_id] >= self._most_threads():
                raise EngineBusy(
                    f"revision {revision_id} holds {self._asking[revision_id]} of this worker's "
                    f"{settings.SERVING_THREADS} threads; the others are kept for other models."
                )
            self._asking[revision_id] += 1
        try:
            yield
        finally:
            with self._counting:
                self._asking[revision_id] -= 1

    def _most_threads(self) -> float:
        """One model that is slow must not hold every thread while others could answer."""
        return inf if len(self._batchers) < 2 else max(1, settings.SERVING_THREADS * SHARE_OF_THREADS)

    def load(self, revision_ids: Iterable[int], progress: Callable[[str], None] | None = None) -> None:
        """Load and warm revisions; ``progress`` gets a line for each. What is loaded is passed over."""
        for revision_id in dict.fromkeys(revision_ids):
            begun = time.monotonic()
            self._batcher(revision_id)
            if progress:
                progress(f"revision {revision_id} is loaded and warm ({time.monotonic() - begun:.1f} s)")

    def probe(self, revision_id: int) -> None:
        """Have a revision answer a dialogue of ours. Raises what ``reply`` raises."""
        self._batcher(revision_id).ask(WARMING)

    def agent(self, revision_id: int) -> Agent:
        """The loaded agent of a revision, always the same object."""
        return self._batcher(revision_id).agent

    def unload(self, revision_id: int) -> None:
        """Forget a revision; composites that hold it keep it."""
        with self._loading:
            if batcher := self._batchers.pop(revision_id, None):
                batcher.close()

    def close(self) -> None:
        """Forget everything; what is queued is still answered."""
        for revision_id in list(self._batchers):
            self.unload(revision_id)

    @property
    def loaded(self) -> list[int]:
        return sorted(self._batchers)

    def _batcher(self, revision_id: int) -> Batcher:
        return self._batchers.get(revision_id) or self._load(revision_id)

    def is_refused(self, revision_id: int) -> bool:
        """Whether a revision could not be loaded lately and is not tried again yet."""
        return time.monotonic() < self._refused.get(revision_id, (0.0, None))[0]

    def _load(self, revision_id: int) -> Batcher:
        with self._loading:
            if loaded := self._batchers.get(revision_id):
                return loaded
            if self.is_refused(revision_id):
                raise self._refused[revision_id][1]
            try:
                agent = self._warm_agent(revision_id)
            except ModelhubError as error:
                # Else each turn would read the files again.
                self._refused[revision_id] = time.monotonic() + REFUSED_FOR_S, error
                self.watcher(revision_id, ServedModel.State.REFUSED, str(error))
                raise
            self._batchers[revision_id] = self._batcher_of(agent, revision_id)
            self.watcher(revision_id, ServedModel.State.READY, "")
            log.info("loaded", extra={"revision": revision_id})
            return self._batchers[revision_id]

    def _warm_agent(self, revision_id: int) -> Agent:
        self.watcher(revision_id, ServedModel.State.LOADING, "")
        agent = self._load_agent(revision_id, self.agent)
        self.watcher(revision_id, ServedModel.State.WARMING, "")
        _warm(agent, revision_id)
        return agent

    def _batcher_of(self, agent: Agent, revision_id: int) -> Batcher:
        return Batcher(
            agent,
            f"revision {revision_id}",
            size=self._batch_size,
            wait_s=self._batch_wait_ms / 1000,
            time_limit_s=self._time_limit_s,
            bound=self._queue_size,
        )


def _tried(call: Callable[[], Result]) -> Result | Exception:
    """What a call gives or raises."""
    try:
        return call()
    except Exception as error:
        return error


def _warm(agent: Agent, revision_id: int) -> None:
    """A first reply to nobody. Raises AgentFailed for an agent that cannot give it."""
    try:
        agent.reply([WARMING])
    except ModelhubError:
        raise
    except Exception as error:
        raise AgentFailed(
            f"revision {revision_id} failed its first reply with {type(error).__name__}; correct the model."
        ) from error


def _load_registered(revision_id: int, part_of: Callable[[int], Agent]) -> Agent:
    from modelhub.serving.loading import load_agent

    metrics.call(f"revision {revision_id}", registry.get(revision_id).reference)
    return load_agent(revision_id, part_of)


_engine: Engine | None = None
_engine_lock = threading.Lock()


def engine() -> Engine:
    """The process's one engine."""
    global _engine
    with _engine_lock:
        if _engine is None:
            _engine = Engine()
        return _engine
