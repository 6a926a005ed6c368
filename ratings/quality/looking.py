"""Look at workers a batch at a time: read what they did, and ask what one worker's work alone can answer.

Nothing is written here. So the batches of a large study are looked at by processes of their own, one a core: Python
runs one thread at a time, and a whole run that was asked from the page would slow the replies of the serving worker
that took it. Such a process imports this module before Django is set up: what needs Django is imported within.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import cache, partial
from multiprocessing import get_context, parent_process
from typing import TYPE_CHECKING, Any
from uuid import UUID

from ratings.quality.copying import Sketches, Source
from ratings.quality.evidence import Flag

if TYPE_CHECKING:
    from chat.models import Study
    from ratings.models import Policy
    from ratings.quality.rules import Judge

#: Starting processes takes a second or two: fewer batches are looked at sooner without.
FEWEST_BATCHES = 4
#: The database is shared with the people who talk meanwhile.
MOST_PROCESSES = 4
#: How much the processes stand back behind those that answer people.
NICENESS = 10


@dataclass(slots=True)
class Looked:
    """What was seen of a batch. ``at`` is when reading began; ``people`` have numbers of talks and of messages.

    ``flags`` has an entry for each of them. ``sketches`` number workers as ``people`` does.
    """

    at: datetime
    people: list[tuple[UUID, int, int]]
    flags: dict[UUID, list[Flag]]
    sketches: Sketches


def look(judge: Judge, ids: Sequence[UUID], *, sketched: bool) -> Looked:
    """Read these workers' finished work and judge each alone; ``sketched`` for comparing what they wrote."""
    from django.utils import timezone

    from ratings.quality import reading

    found = Looked(timezone.now(), [], {}, Sketches())
    for number, work in enumerate(reading.read(ids)):
        found.people.append((work.participation, len(work.talks), work.messages))
        found.flags[work.participation] = judge.flags(work)
        for talk in work.talks if sketched else ():
            for said in talk.said:
                found.sketches.add(Source(number, talk.talk, said.position), said.text)
    return found


@contextmanager
def looks(
    study: Study, policy: Policy, batches: Sequence[Sequence[UUID]], *, sketched: bool
) -> Iterator[Iterator[Looked]]:
    """What is seen of each batch, in their order; processes, where they are worth it, begin at once."""
    processes = min(len(batches), len(os.sched_getaffinity(0)), MOST_PROCESSES)
    if len(batches) < FEWEST_BATCHES or processes < 2:
        yield map(_looker(study, policy, sketched), batches)
        return
    context = get_context("spawn")  # a copy of a process that runs threads and holds models may stand still
    given = (_database_name(), study.pk, policy.pk, sketched)
    with ProcessPoolExecutor(processes, context, _begin, given) as pool:
        try:
            yield pool.map(_look_there, batches)
        finally:
            pool.shutdown(cancel_futures=True)  # what nobody takes need not be looked at


def _looker(study: Study, policy: Policy, sketched: bool) -> Callable[[Sequence[UUID]], Looked]:
    from ratings.quality.rules import Judge

    return partial(look, Judge(study, policy), sketched=sketched)


def _database_name() -> str:
    from django.db import connection

    return str(connection.settings_dict["NAME"])


# --- In a process of its own --------------------------------------------------------------------------------------

_given: tuple[int, int, bool] | None = None


def _begin(database: str, *given: Any) -> None:
    """Set Django up on the parent's database, and end with the parent."""
    global _given
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # which a terminal sends to all; the parent decides
    threading.Thread(target=_end_with_parent, daemon=True).start()
    os.nice(NICENESS)

    import django

    django.setup()
    from django.db import connection

    connection.settings_dict["NAME"] = database
    _given = given


def _end_with_parent() -> None:
    """A process whose parent was killed would wait for the next batch for ever."""
    if parent := parent_process():
        parent.join()
        os._exit(1)


def _look_there(ids: Sequence[UUID]) -> Looked:
    return _look()(ids)


@cache
def _look() -> Callable[[Sequence[UUID]], Looked]:
    """Made with the first batch: what goes wrong here reaches whoever waits for the batch."""
    from chat.models import Study
    from ratings.models import Policy

    assert _given is not None
    study_id, policy_id, sketched = _given
    return _looker(Study.objects.get(pk=study_id), Policy.objects.get(pk=policy_id), sketched)
