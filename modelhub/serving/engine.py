"""The engine of a worker process: loads revisions and answers dialogues with them.

torch is imported when the first revision is loaded, so importing this module is cheap.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable

from django.conf import settings

from modelhub import registry
from modelhub.agents.base import Agent
from modelhub.dialogue import Context, Dialogue, Speaker, Utterance
from modelhub.serving import metrics
from modelhub.serving.batcher import Answer, Batcher

__all__ = ["Answer", "Engine", "Loader", "engine"]

log = logging.getLogger(__name__)

#: Loads a revision by its id; its second argument gives the loaded agents of other revisions, for composites.
Loader = Callable[[int, Callable[[int], Agent]], Agent]

#: Long enough that a worker's first real batch finds memory and kernels in place.
WARMING = Dialogue(
    context=Context(model_persona=("i like to warm up first.",)),
    utterances=(Utterance(Speaker.WORKER, "hello there, this is the first message of the day. " * 8),),
    key="warming",
)


class Engine:
    """Loaded agents, each with its batcher. Safe to use from any number of threads.

    Limits are the settings SERVING_BATCH_SIZE, SERVING_BATCH_WAIT_MS and SERVING_TIME_LIMIT_S unless given.
    """

    def __init__(
        self,
        load_agent: Loader | None = None,
        *,
        batch_size: int | None = None,
        batch_wait_ms: float | None = None,
        time_limit_s: float | None = None,
    ) -> None:
        self._load_agent = load_agent or _load_registered
        self._batch_size = settings.SERVING_BATCH_SIZE if batch_size is None else batch_size
        self._batch_wait_ms = settings.SERVING_BATCH_WAIT_MS if batch_wait_ms is None else batch_wait_ms
        self._time_limit_s = settings.SERVING_TIME_LIMIT_S if time_limit_s is None else time_limit_s
        self._batchers: dict[int, Batcher] = {}
        # Held while a revision loads, and re-entered for a composite's parts; replies of loaded ones go on.
        self._loading = threading.RLock()

    def reply(self, revision_id: int, dialogue: Dialogue) -> Answer:
        """Block until a revision's reply is there; loads the revision when nothing has yet.

        Raises UnknownRevision, EngineTimeout, AgentFailed, and the errors of loading.
        """
        return self._batcher(revision_id).ask(dialogue)

    def load(self, revision_ids: Iterable[int], progress: Callable[[str], None] | None = None) -> None:
        """Load and warm revisions; ``progress`` gets a line for each. What is loaded is passed over."""
        for revision_id in dict.fromkeys(revision_ids):
            begun = time.monotonic()
            self.agent(revision_id).reply([WARMING])
            if progress:
                progress(f"revision {revision_id} is loaded and warm ({time.monotonic() - begun:.1f} s)")

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

    def _load(self, revision_id: int) -> Batcher:
        with self._loading:
            if loaded := self._batchers.get(revision_id):
                return loaded
            agent = self._load_agent(revision_id, self.agent)
            self._batchers[revision_id] = Batcher(
                agent,
                f"revision {revision_id}",
                size=self._batch_size,
                wait_s=self._batch_wait_ms / 1000,
                time_limit_s=self._time_limit_s,
            )
            log.info("loaded revision=%s", revision_id)
            return self._batchers[revision_id]


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
