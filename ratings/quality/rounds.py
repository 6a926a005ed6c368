"""A round of judging whoever finished a talk: the safety classifier's look, then the rules."""

from __future__ import annotations

import threading

from django.utils import timezone

from ratings.models import Judgement
from ratings.quality import due, judging, safety

#: Several at once would look at the same people, and keep the threads that replies wait for.
_judging = threading.Lock()


def judge_due() -> int:
    """Judge a task's share of those who are due; their number.

    One round at a time in a process: 0 where another thread judges. It asks for the next round when somebody finished
    a talk meanwhile; a mark from a clock that is ahead waits for the sweeper.
    """
    if not _judging.acquire(blocking=False):
        return 0
    try:
        began, people = timezone.now(), judging.who_is_due()
        safety.try_to_look_at(people)
        judged = judging.judge_people(people, began)
    finally:
        _judging.release()
    if Judgement.objects.filter(due_since__lte=timezone.now()).exists():
        due.ask()
    return judged
