"""From the database to a frame of ratings, once."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from uuid import UUID

import numpy as np
from django.db.models import Count, Q, QuerySet

from analysis.ratings_frame import Name, Population, RatingsFrame
from analysis.statistics.means import Integers
from chat.models import Arm, Conversation, Study
from ratings.axes import Axis
from ratings.models import Rating

#: Rows that are hashed together; bounds the memory that hashing takes.
HASHED_AT_ONCE = 50_000

#: A rating: worker, talk, the model's place among those of the frame, axis, score.
Row = tuple[Name, Name, int, str, int]


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
        talk_ids=tuple(dict.fromkeys(row[1] for row in rows)),
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


def _codes(keys: Iterable[Name]) -> Integers:
    """Numbers from 0 in the order of first appearance."""
    seen: dict[Name, int] = {}
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
