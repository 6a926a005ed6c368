"""From the database to the work that rules look at, some thousand workers at a time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby
from operator import itemgetter
from typing import Any
from uuid import UUID

from django.db.models import Q

from chat.models import Conversation, Message, Participation, Refusal, Study
from chat.typing_records import typing_of
from ratings.models import AttentionAnswer, GoldExpectation, Rating
from ratings.quality.evidence import Said, TalkWork, WorkerWork

#: Bounds the memory of a whole study's run; a batch of so many workers is some ten thousand messages.
WORKERS_AT_ONCE = 1000
#: Compared with each message's: a choice of the model would be made text of anew each time.
WORKER = Message.Speaker.WORKER.value
UUID_DIGITS = 32
HEXADECIMAL = frozenset("0123456789abcdef")


@dataclass(slots=True)
class _Talk:
    """A talk while its parts are read."""

    participation: UUID
    model: int
    seconds: float
    opened: bool
    said: list[Said] = field(default_factory=list)
    heard: list[tuple[int, str]] = field(default_factory=list)
    scores: dict[str, int] = field(default_factory=dict)
    refused: dict[str, int] = field(default_factory=dict)
    asked: int | None = None
    given: int | None = None
    expected: dict[str, tuple[int, int]] = field(default_factory=dict)


def batches(participations: Sequence[UUID]) -> Iterator[Sequence[UUID]]:
    """So many workers as are read at once."""
    for start in range(0, len(participations), WORKERS_AT_ONCE):
        yield participations[start : start + WORKERS_AT_ONCE]


def finished(study: Study, *, simulated: bool) -> list[UUID]:
    """The participations of one population that finished a talk, in the order of their ids."""
    talks = Conversation.objects.filter(
        arm__study=study, state=Conversation.State.COMPLETE, simulated=simulated
    )
    people = talks.order_by("participation_id").values_list("participation_id", flat=True)
    return list(people.distinct())


def read(ids: Sequence[UUID]) -> list[WorkerWork]:
    """The finished work of these workers, in their order; who finished nothing is left out. Six queries.

    Scores are read of gold talks alone, by one more: what else asks for ratings reads all as columns of numbers.

    A talk that is finished between two of them is left out too: its worker is due again.
    """
    talks = _talks(ids)
    _add_messages(talks, ids)
    _add_refusals(talks, ids)
    _add_attention(talks, ids)
    _add_scores(talks, _add_expected(talks))
    by_worker: dict[UUID, list[TalkWork]] = defaultdict(list)
    for pk, talk in talks.items():
        by_worker[talk.participation].append(_frozen(pk, talk))
    return [WorkerWork(each, tuple(by_worker[each])) for each in ids if each in by_worker]


def _frozen(pk: UUID, talk: _Talk) -> TalkWork:
    return TalkWork(
        talk=pk,
        model=talk.model,
        said=tuple(talk.said),
        scores=talk.scores,
        seconds=talk.seconds,
        heard=tuple(talk.heard),
        opened=talk.opened,
        refused=talk.refused,
        asked=talk.asked,
        given=talk.given,
        expected=talk.expected,
    )


def _complete(ids: Sequence[UUID], prefix: str = "") -> dict[str, Any]:
    """Which rows belong to finished talks of these workers."""
    return {f"{prefix}participation_id__in": ids, f"{prefix}state": Conversation.State.COMPLETE}


def _talks(ids: Sequence[UUID]) -> dict[UUID, _Talk]:
    rows = (
        Conversation.objects.filter(**_complete(ids))
        .order_by("participation_id", "ordinal")
        .values_list("pk", "participation_id", "arm_id", "started_at", "ended_at", "context__worker_seed")
    )
    return {
        pk: _Talk(participation, arm, _seconds(started, ended), bool(seed))
        for pk, participation, arm, started, ended, seed in rows
    }


def _seconds(started: datetime, ended: datetime | None) -> float:
    return (ended - started).total_seconds() if ended else 0.0


def _add_messages(talks: dict[UUID, _Talk], ids: Sequence[UUID]) -> None:
    rows = (
        Message.objects.filter(**_complete(ids, "conversation__"))
        .order_by("conversation_id", "position")
        .values_list("conversation_id", "position", "speaker", "text", "safety__probability")
    )
    typed = typing_of(talks)
    for pk, messages in groupby(rows.iterator(chunk_size=10_000), itemgetter(0)):
        if (talk := talks.get(pk)) is None:
            continue
        typing = typed.get(pk, {})
        for _, position, speaker, text, unsafe in messages:
            if speaker == WORKER:
                talk.said.append(Said(position, text, unsafe, typing.get(position)))
            else:
                talk.heard.append((position, text))


def _add_scores(talks: dict[UUID, _Talk], gold: Sequence[UUID]) -> None:
    if not gold:
        return
    rows = Rating.objects.filter(conversation_id__in=gold).order_by()
    for talk, axis, score in rows.values_list("conversation_id", "axis", "score"):
        talks[talk].scores[axis] = score


def _add_refusals(talks: dict[UUID, _Talk], ids: Sequence[UUID]) -> None:
    rows = Refusal.objects.filter(**_complete(ids, "conversation__")).order_by()
    for talk, code, times in rows.values_list("conversation_id", "code", "times"):
        if talk in talks:
            talks[talk].refused[code] = times


def _add_attention(talks: dict[UUID, _Talk], ids: Sequence[UUID]) -> None:
    rows = AttentionAnswer.objects.filter(**_complete(ids, "conversation__"))
    for talk, asked, given in rows.values_list("conversation_id", "asked", "given"):
        if talk in talks:
            talks[talk].asked, talks[talk].given = asked, given


def _add_expected(talks: dict[UUID, _Talk]) -> list[UUID]:
    """What is stated for each talk's arm; gives the talks of which something is."""
    expected: dict[int, dict[str, tuple[int, int]]] = defaultdict(dict)
    rows = GoldExpectation.objects.filter(arm__in={talk.model for talk in talks.values()})
    for arm, axis, low, high in rows.values_list("arm_id", "axis", "low", "high"):
        expected[arm][axis] = low, high
    for talk in talks.values():
        talk.expected = expected.get(talk.model, {})
    return [pk for pk, talk in talks.items() if talk.expected]


def arms_names(study: Study) -> list[str]:
    """What a model of the study could call itself: names and slugs."""
    rows = study.arms.values_list("revision__model__name", "revision__model__slug")
    return [name for row in rows for name in row]


def participation_of(study: Study, worker: str) -> Participation | None:
    """The participation that a worker's pseudonym, or its beginning, names; None when none or several do.

    Two rows at most are read, whatever the study's size.
    """
    if (named := _range_of(worker)) is None:
        return None
    first, last = named
    is_named = Q(worker__gte=first, worker__lte=last) | Q(pk__gte=first, pk__lte=last)
    found = Participation.objects.filter(is_named, study=study)
    first_two = list(found.select_related("worker")[:2])
    return first_two[0] if len(first_two) == 1 else None


def _range_of(beginning: str) -> tuple[UUID, UUID] | None:
    """The first and the last id that begin so, in the order in which databases keep them; None where none can."""
    digits = beginning.strip().lower().replace("-", "")
    if len(digits) > UUID_DIGITS or not HEXADECIMAL.issuperset(digits):
        return None
    return UUID(digits.ljust(UUID_DIGITS, "0")), UUID(digits.ljust(UUID_DIGITS, "f"))
