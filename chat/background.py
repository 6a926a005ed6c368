"""What does not change while people talk: a talk's study, worker, context and arm, read once a process.

Whatever changes in a talk is read or written with every act; it is never taken from here.
"""

from __future__ import annotations

import copy
import threading
import time
from collections import OrderedDict
from uuid import UUID

from chat.models import Conversation

#: More talks than a process has at once.
MOST = 5000
#: A researcher who changes a study's numbers all the same is believed after so long.
KNOWN_FOR_S = 60.0


class _Known:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._talks: OrderedDict[UUID, tuple[float, Conversation]] = OrderedDict()

    def get(self, conversation_id: UUID) -> Conversation | None:
        with self._lock:
            until, talk = self._talks.get(conversation_id, (0.0, None))
        return talk if time.monotonic() < until else None

    def put(self, talk: Conversation) -> None:
        with self._lock:
            self._talks[talk.pk] = time.monotonic() + KNOWN_FOR_S, talk
            self._talks.move_to_end(talk.pk)
            while len(self._talks) > MOST:
                self._talks.popitem(last=False)

    def forget(self) -> None:
        with self._lock:
            self._talks.clear()


_known = _Known()


def talk(conversation_id: UUID) -> Conversation | None:
    """A talk with its participation, study, context and arm; its own columns may be old. A query for a new one.

    None when there is no such talk.
    """
    known = _known.get(conversation_id)
    if known is None:
        known = (
            Conversation.objects.select_related("participation__study", "context", "arm")
            .filter(pk=conversation_id)
            .first()
        )
        if known is None:
            return None
        _known.put(known)
    return copy.copy(known)


def forget() -> None:
    """Read anew next time."""
    _known.forget()
