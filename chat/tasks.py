"""The replies that are owed, as a Celery task. One that is lost is asked again; one that runs twice stores once."""

from __future__ import annotations

import logging
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from celery import shared_task
from django.db import InterfaceError, OperationalError, close_old_connections

from chat import replies
from chat.asking import ANSWER_TURNS
from modelhub.errors import EngineBusy
from modelhub.serving import health

if TYPE_CHECKING:
    from chat.models import Turn
    from modelhub.serving.engine import Answer

logger = logging.getLogger(__name__)

#: With the waits for a connection in all below a turn's lease, after which it is asked again anyway.
STORE_AGAIN_S = (0.5, 1.0, 2.0)


@shared_task(name=ANSWER_TURNS)
def answer_turns(turn_ids: Sequence[int]) -> None:
    """Answer those of some turns that are still owed."""
    of_revision: dict[int, list[Turn]] = defaultdict(list)
    for turn in replies.claim_together.all(turn_ids):
        if turn is not None:
            of_revision[turn.conversation.arm.revision_id].append(turn)
    for revision_id, turns in of_revision.items():
        _answer(revision_id, turns)


def _answer(revision_id: int, turns: Sequence[Turn]) -> None:
    """Let a model answer claimed turns; what fails for one of them costs the others nothing."""
    outcomes = list(zip(turns, _outcomes(revision_id, turns), strict=True))
    made = [
        replies.Answer(turn.pk, outcome.reply, outcome.waited_ms, outcome.generated_ms)
        for turn, outcome in outcomes
        if not isinstance(outcome, Exception)
    ]
    if made:
        _through_a_restart(partial(replies.answer_together.all, made))
        health.succeeded(revision_id)
    for turn, outcome in outcomes:
        if isinstance(outcome, EngineBusy):
            replies.put_back(turn)
        elif isinstance(outcome, Exception):
            _failed(revision_id, turn, outcome)


def _outcomes(revision_id: int, turns: Sequence[Turn]) -> Sequence[Answer | Exception]:
    """An answer for each turn, or why there is none."""
    from modelhub.serving.engine import engine  # which imports torch

    try:
        return engine().replies(revision_id, replies.dialogues(turns))
    except Exception as error:
        return [error for _ in turns]


def _failed(revision_id: int, turn: Turn, error: Exception) -> None:
    """Whatever an agent throws, the person on the other side gets another attempt or an honest end."""
    about = {"turn": turn.pk, "attempt": turn.attempt}
    logger.error("an attempt failed", extra=about, exc_info=error)
    health.attempt_failed(revision_id, error)
    replies.give_up(turn.pk, turn.attempt)


def _through_a_restart(store: Callable[[], object]) -> None:
    """Try again while the database is away for a moment: a reply that is made should not be made anew."""
    for wait_s in STORE_AGAIN_S:
        try:
            store()
            return
        except (OperationalError, InterfaceError):
            logger.warning("a reply could not be stored; trying again", extra={"wait_s": wait_s})
            close_old_connections()
            time.sleep(wait_s)
    store()
