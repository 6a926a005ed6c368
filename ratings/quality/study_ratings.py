"""The ratings of one study as arrays: what the rating model and the rules about ratings are computed from.

Shapes: R ratings, T talks, W workers, M models, A axes. All numbers count from 0.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.int64]
Floats = NDArray[np.float64]
Booleans = NDArray[np.bool_]

#: Stands in ``answers`` where a talk was not rated on an axis.
UNRATED = -1


@dataclass(frozen=True)
class StudyRatings:
    """One entry a rating, each array (R,); a talk has one worker, one model and at most one rating an axis.

    ``worker``, ``talk``, ``model`` and ``axis`` count from 0; ``score`` is a whole number from ``low`` to ``high``.
    ``models`` is how many models the study has, rated or not; 0 for those that were rated.
    Raises ValueError where the arrays do not fit together.
    """

    worker: Integers
    talk: Integers
    model: Integers
    axis: Integers
    score: Integers
    low: int = 1
    high: int = 5
    models: int = 0

    def __post_init__(self) -> None:
        columns = (self.worker, self.talk, self.model, self.axis, self.score)
        if len({column.shape for column in columns}) > 1 or self.score.ndim != 1:
            raise ValueError(
                f"shapes {[column.shape for column in columns]}; expected one entry a rating in each"
            )
        if not all(np.issubdtype(column.dtype, np.integer) for column in columns):
            raise ValueError(
                f"types {[str(column.dtype) for column in columns]}; expected whole numbers in each"
            )
        if self.score.size:
            self._check_values(columns)

    def _check_values(self, columns: tuple[Integers, ...]) -> None:
        if min(column.min() for column in columns[:4]) < 0:
            raise ValueError("a worker, talk, model or axis below 0; number them from 0")
        if self.score.min() < self.low or self.score.max() > self.high:
            found = f"{self.score.min()} to {self.score.max()}"
            raise ValueError(f"scores from {found}; the scale goes from {self.low} to {self.high}")
        if np.unique(self.talk * (self.axis.max() + 1) + self.axis).size < self.score.size:
            raise ValueError("a talk is rated twice on one axis; keep one of the ratings")
        if (
            np.unique(np.stack([self.talk, self.worker, self.model]), axis=1).shape[1]
            > self.talks.worker.size
        ):
            raise ValueError("a talk has two workers or two models; a talk belongs to one of each")

    @property
    def values(self) -> int:
        """How many values the scale has."""
        return self.high - self.low + 1

    @cached_property
    def _rows(self) -> tuple[Integers, Integers, Integers]:
        """The talks' numbers, where each comes first, and each rating's row in them."""
        return np.unique(self.talk, return_index=True, return_inverse=True)

    @cached_property
    def talks(self) -> TalkTable:
        """The same ratings, a row a talk, in the order of the talks' numbers."""
        number, first, row = self._rows
        answers = np.full((number.size, _size(self.axis)), UNRATED, dtype=np.int64)
        answers[row, self.axis] = self.score - self.low
        return TalkTable(
            number=number,
            worker=self.worker[first],
            model=self.model[first],
            answers=answers,
            values=self.values,
            workers=_size(self.worker),
            models=max(self.models, _size(self.model)),
        )


@dataclass(frozen=True)
class TalkTable:
    """A row a talk: ``number``, ``worker`` and ``model`` (T,); ``answers`` (T, A) from 0, UNRATED where there is none.

    ``values`` is the number of values that an answer can take, ``workers`` and ``models`` how many there are.
    """

    number: Integers
    worker: Integers
    model: Integers
    answers: Integers
    values: int
    workers: int
    models: int

    @property
    def axes(self) -> int:
        return self.answers.shape[1]

    @cached_property
    def rated(self) -> Booleans:
        """(T, A): whether the talk was rated on the axis."""
        return self.answers != UNRATED

    @cached_property
    def talks_of(self) -> Integers:
        """(W,): how many talks each worker rated."""
        return np.bincount(self.worker, minlength=self.workers)

    def of(self, workers: Booleans) -> TalkTable:
        """The talks of the workers for whom ``workers`` (W,) is true; all keep their numbers."""
        kept = workers[self.worker]
        return replace(
            self,
            number=self.number[kept],
            worker=self.worker[kept],
            model=self.model[kept],
            answers=self.answers[kept],
        )


def _size(numbers: Integers) -> int:
    return int(numbers.max()) + 1 if numbers.size else 0
