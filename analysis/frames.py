"""From the database to arrays, once."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import islice
from uuid import UUID

import numpy as np
from django.db.models import Count, Q, QuerySet

from analysis.statistics.means import Floats, Integers, WorkerTable, tabulate
from chat.models import Arm, Conversation, Study
from ratings.axes import Axis
from ratings.models import Rating

#: Rows that are hashed together; bounds the memory that hashing takes.
HASHED_AT_ONCE = 50_000

#: A worker as a frame knows them: by the internal id, or as an export names them.
Person = UUID | str
#: A rating: worker, talk, the model's place among those of the frame, axis, score.
Row = tuple[Person, Person, int, str, int]


class Population(StrEnum):
    """Whose ratings. The two are never mixed."""

    PEOPLE = "people"
    SIMULATED = "simulated"


@dataclass(frozen=True, slots=True)
class RatingsFrame:
    """The ratings of a study's complete talks by one population: one entry a rating in each array.

    ``worker``, ``talk``, ``model`` and ``axis`` count from 0; ``people`` holds the ids of the workers, ``models`` and
    ``axes`` the labels of the last two, models in the order of the arms, also those that nobody has rated. ``sha256``
    is the hash of the ratings with the numbers of their workers and talks: the same ratings in the same order, the same
    hash, by whatever names their workers go. Workers who are excluded are left out unless they were asked for.
    """

    study: str
    title: str
    population: Population
    models: tuple[str, ...]
    axes: tuple[str, ...]
    people: tuple[Person, ...]
    worker: Integers
    talk: Integers
    model: Integers
    axis: Integers
    score: Floats
    sha256: str

    @property
    def workers(self) -> int:
        return len(np.unique(self.worker))

    @property
    def talks(self) -> int:
        return len(np.unique(self.talk))

    def talks_by_model(self) -> Integers:
        """Complete, rated talks of each model, (M,)."""
        _, first = np.unique(self.talk, return_index=True)
        return np.bincount(self.model[first], minlength=len(self.models))

    def without(self, people: Collection[Person]) -> RatingsFrame:
        """The ratings of everybody else. Workers keep their numbers; the hash tells who is left out."""
        left_out = np.array([person in people for person in self.people], dtype=bool)
        kept = ~left_out[self.worker]
        gone = ",".join(sorted(str(person) for person in self.people if person in people))
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


def complete_talks(study: Study) -> dict[Population, int]:
    """How many complete talks there are of each population, without those of excluded workers; one query."""
    complete = Conversation.objects.filter(
        arm__study=study, state=Conversation.State.COMPLETE, participation__excluded_at=None
    )
    counts = complete.aggregate(
        people=Count("pk", filter=Q(simulated=False)), simulated=Count("pk", filter=Q(simulated=True))
    )
    return {population: counts[population.value] for population in Population}


def choose_population(study: Study) -> Population:
    """People's where they finished any talk; else simulated where there is any; else people's, which is empty."""
    talks = complete_talks(study)
    if talks[Population.SIMULATED] and not talks[Population.PEOPLE]:
        return Population.SIMULATED
    return Population.PEOPLE


def ratings_frame(study: Study, population: Population, *, with_excluded: bool = False) -> RatingsFrame:
    """Read the ratings of complete talks: one query for them, one for the study's arms."""
    arms = list(study.arms.select_related("revision__model").order_by("position"))
    place_of = {arm.pk: place for place, arm in enumerate(arms)}
    rows = _rows(study, population, with_excluded).iterator(chunk_size=HASHED_AT_ONCE)
    return frame_of(
        ((worker, talk, place_of[arm], axis, score) for worker, talk, arm, axis, score in rows),
        study=study.slug,
        title=study.title,
        population=population,
        models=model_labels(arms),
    )


def frame_of(
    ratings: Iterable[Row], *, study: str, title: str, population: Population, models: tuple[str, ...]
) -> RatingsFrame:
    """A frame of ratings from anywhere, of one population's complete talks; their order counts for the hash."""
    rows = list(ratings)
    axis_of = {axis.value: index for index, axis in enumerate(Axis)}
    worker, talk = _codes(row[0] for row in rows), _codes(row[1] for row in rows)
    return RatingsFrame(
        study=study,
        title=title,
        population=population,
        models=models,
        axes=tuple(axis.value for axis in Axis),
        people=tuple(dict.fromkeys(row[0] for row in rows)),
        worker=worker,
        talk=talk,
        model=np.array([row[2] for row in rows], dtype=np.int64),
        axis=np.array([axis_of[row[3]] for row in rows], dtype=np.int64),
        score=np.array([row[4] for row in rows], dtype=float),
        sha256=_hash(rows, worker, talk, population, models),
    )


def _rows(
    study: Study, population: Population, with_excluded: bool
) -> QuerySet[Rating, tuple[UUID, UUID, int, str, int]]:
    """Ordered, so that the hash and the sums do not depend on the database's order."""
    complete = Rating.objects.filter(
        conversation__arm__study=study,
        conversation__state=Conversation.State.COMPLETE,
        conversation__simulated=population is Population.SIMULATED,
    )
    if not with_excluded:
        complete = complete.filter(conversation__participation__excluded_at=None)
    return complete.order_by("conversation_id", "axis").values_list(
        "conversation__participation__worker_id",
        "conversation_id",
        "conversation__arm_id",
        "axis",
        "score",
    )


def model_labels(arms: Sequence[Arm]) -> tuple[str, ...]:
    """Names of the arms' models; where two arms share one, what tells them apart is added."""
    shared = Counter(arm.revision.model.name for arm in arms)

    def label(arm: Arm) -> str:
        model, number = arm.revision.model, arm.revision.number
        return model.name if shared[model.name] == 1 else f"{model.name} ({model.slug} r{number})"

    return tuple(label(arm) for arm in arms)


def _codes(keys: Iterable[Person]) -> Integers:
    """Numbers from 0 in the order of first appearance."""
    seen: dict[Person, int] = {}
    return np.array([seen.setdefault(key, len(seen)) for key in keys], dtype=np.int64)


def _hash(
    rows: Sequence[Row], worker: Integers, talk: Integers, population: Population, models: Sequence[str]
) -> str:
    """SHA-256 over one line a rating: worker and talk as numbers, model, axis, score."""
    digest = hashlib.sha256(f"{population}\n".encode())
    lines: Iterator[str] = (
        f"{person},{held},{models[model]},{axis},{score}\n"
        for person, held, (_, _, model, axis, score) in zip(worker.tolist(), talk.tolist(), rows, strict=True)
    )
    while batch := list(islice(lines, HASHED_AT_ONCE)):
        digest.update("".join(batch).encode())
    return digest.hexdigest()
