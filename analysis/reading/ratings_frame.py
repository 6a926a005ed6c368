"""Ratings as arrays, wherever they come from: the one value that every analysis starts with."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from uuid import UUID

import numpy as np

from analysis.reading.ratings_hash import ratings_hash
from analysis.statistics.means import Floats, Integers, WorkerTable, tabulate
from ratings.axes import Axis

#: A pseudonym of a worker or a talk: ours, or what a file calls them.
Name = UUID | str


class Population(StrEnum):
    """Whose ratings. The two are never mixed."""

    PEOPLE = "people"
    SIMULATED = "simulated"


@dataclass(frozen=True, slots=True)
class RatingsFrame:
    """The ratings of complete talks by one population: one entry a rating in each array.

    ``worker``, ``talk``, ``model`` and ``axis`` count from 0; ``people`` holds the pseudonyms of workers, ``models``
    and ``axes`` the labels of the last two, models in the order of the report, also those that nobody has rated.
    ``sha256`` is the ratings' hash (``ratings_hash``): the same ratings, the same hash, wherever they are.
    """

    study: str
    title: str
    population: Population
    models: tuple[str, ...]
    axes: tuple[str, ...]
    people: tuple[Name, ...]
    worker: Integers
    talk: Integers
    model: Integers
    axis: Integers
    score: Floats
    sha256: str

    @property
    def workers(self) -> int:
        return int(np.count_nonzero(np.bincount(self.worker)))

    @property
    def talks(self) -> int:
        return int(np.count_nonzero(np.bincount(self.talk)))

    def talks_by_model(self) -> Integers:
        """Complete, rated talks of each model, (M,)."""
        of_talk = np.full(int(self.talk.max(initial=-1)) + 1, -1)
        of_talk[self.talk] = self.model
        return np.bincount(of_talk[of_talk >= 0], minlength=len(self.models))

    def without(self, people: Collection[Name]) -> RatingsFrame:
        """The ratings of everybody else. Workers keep their numbers; the hash tells who is left out."""
        left_out = np.array([person in people for person in self.people], dtype=bool)
        kept = ~left_out[self.worker]
        gone = json.dumps(sorted(str(self.people[number]) for number in np.flatnonzero(left_out)))
        return replace(
            self,
            worker=self.worker[kept],
            talk=self.talk[kept],
            model=self.model[kept],
            axis=self.axis[kept],
            score=self.score[kept],
            sha256=hashlib.sha256(f"{self.sha256} without {gone}".encode()).hexdigest(),
        )

    def table(self) -> WorkerTable:
        """Counts, sums and sums of squares by worker, model and axis."""
        shape = (int(self.worker.max(initial=-1)) + 1, len(self.models), len(self.axes))
        return tabulate(self.worker, self.model, self.axis, self.score, shape)


@dataclass(frozen=True)
class Without(Mapping[str, RatingsFrame]):
    """What is left of a frame under each rule, by who is left out.

    A frame is made when it is asked for, and not kept: of a million ratings each would take 40 MB.
    """

    frame: RatingsFrame
    people: Mapping[str, Collection[Name]]

    def __getitem__(self, rule: str) -> RatingsFrame:
        return self.frame.without(self.people[rule])

    def __iter__(self) -> Iterator[str]:
        return iter(self.people)

    def __len__(self) -> int:
        return len(self.people)


@dataclass(frozen=True, slots=True)
class Columns:
    """Ratings as somebody else kept them: names, and for each rating their places among these and the score.

    Names are distinct, in any order, and each is used.
    """

    people: Sequence[str]
    talks: Sequence[str]
    models: Sequence[str]
    axes: Sequence[str]
    worker: Integers
    talk: Integers
    model: Integers
    axis: Integers
    score: Floats


def axis_label(axis: str) -> str:
    """The paper's words for its axes; others begin with a capital."""
    return Axis(axis).label if axis in Axis.values else axis[:1].upper() + axis[1:]


def from_columns(columns: Columns, study: str, title: str) -> tuple[RatingsFrame, Integers]:
    """A frame, and where each of its ratings stood in the columns.

    The order of the columns' rows does not matter, not even for the last bit of a figure: workers, talks and models are
    sorted by name, the paper's axes come first, and ratings are sorted by talk and axis.
    """
    people, worker = _sorted(columns.people, columns.worker, lambda name: (name,))
    _, talk = _sorted(columns.talks, columns.talk, lambda name: (name,))
    models, model = _sorted(columns.models, columns.model, lambda name: (name.casefold(), name))
    axes, axis = _sorted(columns.axes, columns.axis, _axis_order)
    order = np.lexsort((axis, talk)).astype(np.int64)
    frame = framed(
        (worker[order], talk[order], model[order], axis[order]),
        columns.score[order],
        study=study,
        title=title,
        population=Population.PEOPLE,
        models=models,
        axes=axes,
        people=people,
    )
    return frame, order


def framed(
    codes: tuple[Integers, Integers, Integers, Integers],
    score: Floats,
    *,
    study: str,
    title: str,
    population: Population,
    models: tuple[str, ...],
    axes: tuple[str, ...],
    people: tuple[Name, ...],
) -> RatingsFrame:
    """A frame with its hash; ``codes`` are worker, talk, model and axis of each rating."""
    worker, talk, model, axis = codes
    return RatingsFrame(
        study=study,
        title=title,
        population=population,
        models=models,
        axes=axes,
        people=people,
        worker=worker,
        talk=talk,
        model=model,
        axis=axis,
        score=score,
        sha256=ratings_hash(population, models, axes, codes, score),
    )


def _sorted(
    names: Sequence[str], codes: Integers, key: Callable[[str], tuple[int | str, ...]]
) -> tuple[tuple[str, ...], Integers]:
    """The names in order, and the codes that belong to them."""
    order = sorted(range(len(names)), key=lambda place: key(names[place]))
    rank = np.empty(len(names), dtype=np.int64)
    rank[order] = np.arange(len(names))
    return tuple(names[place] for place in order), rank[codes]


def _axis_order(name: str) -> tuple[int | str, ...]:
    known = Axis.values
    return (known.index(name), "") if name in known else (len(known), name)
