"""A study's finished talks as columns of numbers: what rules about ratings and times compute with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import numpy as np
from django.db.models import Q

from chat.models import Conversation, Study
from ratings.axes import Axis
from ratings.models import HIGHEST, LOWEST, Rating
from ratings.quality.study_ratings import Floats, Integers, StudyRatings

AXES = tuple(Axis)


@dataclass(frozen=True)
class Columns:
    """Finished, rated talks. Workers, talks, arms and axes count from 0; the first three tuples name them.

    ``worker``, ``arm``, ``seconds`` and ``messages`` have an entry a talk; ``seconds`` are at least 1, ``messages``
    counts the worker's own. ``rated_talk``, ``axis`` and ``score`` have one a rating.
    """

    people: tuple[UUID, ...]
    talks: tuple[UUID, ...]
    arms: tuple[int, ...]
    worker: Integers
    arm: Integers
    seconds: Floats
    messages: Integers
    rated_talk: Integers
    axis: Integers
    score: Integers

    @property
    def ratings(self) -> StudyRatings:
        """The ratings, each with its talk's worker and model."""
        return StudyRatings(
            worker=self.worker[self.rated_talk],
            talk=self.rated_talk,
            model=self.arm[self.rated_talk],
            axis=self.axis,
            score=self.score,
            low=LOWEST,
            high=HIGHEST,
            models=len(self.arms),
        )

    @property
    def message_seconds(self) -> Floats:
        """Of each talk, the time for one of the worker's messages, with the reply and the ratings."""
        return self.seconds / np.maximum(self.messages, 1)


def read(study: Study, *, simulated: bool, only: Sequence[UUID] | None = None) -> Columns:
    """The columns of one population, or of ``only`` these participations of it; three queries."""
    of = Q(arm__study=study, state=Conversation.State.COMPLETE, simulated=simulated)
    if only is not None:
        of &= Q(participation_id__in=only)
    rows = list(
        Conversation.objects.filter(of)
        .order_by("participation_id", "ordinal")
        .values_list("pk", "participation_id", "arm_id", "started_at", "ended_at", "last_position")
    )
    arms = tuple(study.arms.order_by("position").values_list("pk", flat=True))
    people = tuple(dict.fromkeys(row[1] for row in rows))
    number = {person: n for n, person in enumerate(people)}
    place = {arm: n for n, arm in enumerate(arms)}
    return Columns(
        people=people,
        talks=tuple(row[0] for row in rows),
        arms=arms,
        worker=np.array([number[row[1]] for row in rows], dtype=np.int64),
        arm=np.array([place[row[2]] for row in rows], dtype=np.int64),
        seconds=np.array(
            [max((ended - began).total_seconds(), 1.0) if ended else 1.0 for *_, began, ended, _ in rows]
        ),
        messages=np.array([(row[5] + 1) // 2 for row in rows], dtype=np.int64),
        **_scores(of, {row[0]: n for n, row in enumerate(rows)}),
    )


def _scores(of: Q, talks: dict[UUID, int]) -> dict[str, Integers]:
    found = Rating.objects.filter(conversation__in=Conversation.objects.filter(of)).order_by()
    place = {axis.value: n for n, axis in enumerate(AXES)}
    rows = [
        (talks[talk], place[axis], score)
        for talk, axis, score in found.values_list("conversation_id", "axis", "score").iterator(
            chunk_size=10_000
        )
        if talk in talks  # one may have been finished between the two statements
    ]
    columns = np.array(rows, dtype=np.int64).reshape(-1, 3)
    return {"rated_talk": columns[:, 0], "axis": columns[:, 1], "score": columns[:, 2]}
