"""From the database to a frame of ratings, once."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

import numpy as np
from django.db.models import Count, Q

from analysis.reading.query_columns import Ids
from analysis.reading.rated_talks import RatedTalks, rated_talks
from analysis.reading.ratings_frame import Population, RatingsFrame, framed
from analysis.statistics.means import Integers
from chat.models import Arm, Conversation, Study
from ratings.axes import Axis

#: What every study of the site asks.
AXES = tuple(axis.value for axis in Axis)
#: A rating: worker, talk, the model's place among those of the frame, axis, score.
Row = tuple[str, str, int, str, int]


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


@dataclass(frozen=True, slots=True)
class Reading:
    """What the database holds of a study's ratings. ``frame.talk`` counts the entries of ``talks``."""

    frame: RatingsFrame
    talks: RatedTalks


def ratings_frame(study: Study, population: Population, *, with_excluded: bool = False) -> RatingsFrame:
    """Read the ratings of complete talks: one query for the study's arms, one for the talks, one for their ratings."""
    return reading_of(study, population, with_excluded=with_excluded).frame


def reading_of(study: Study, population: Population, *, with_excluded: bool = False) -> Reading:
    """The frame with what else was read of its talks; three queries."""
    arms = list(study.arms.select_related("revision__model").order_by("position"))
    talks = rated_talks(study, population, with_excluded=with_excluded)
    people, worker = _codes(talks.worker)
    talk, axis = np.nonzero(talks.score)
    frame = framed(
        (worker[talk], talk, _places(arms, talks.arm)[talk], axis),
        talks.score[talk, axis].astype(float),
        study=study.slug,
        title=study.title,
        population=population,
        models=model_labels(arms),
        axes=AXES,
        people=tuple(UUID(person) for person in people),
    )
    return Reading(frame, talks)


def frame_of(
    ratings: Iterable[Row], *, study: str, title: str, population: Population, models: tuple[str, ...]
) -> RatingsFrame:
    """A frame of ratings from anywhere, of one population's complete talks.

    Workers and talks are numbered in the order in which they come.
    """
    people: dict[str, int] = {}
    talks: dict[str, int] = {}
    place = {axis.value: number for number, axis in enumerate(Axis)}
    codes = array("q")
    for person, held, model, axis, score in ratings:
        codes.extend(
            (
                people.setdefault(person, len(people)),
                talks.setdefault(held, len(talks)),
                model,
                place[axis],
                score,
            )
        )
    worker, talk, arm, column, score_ = np.frombuffer(codes, dtype=np.int64).reshape(-1, 5).T
    order = np.lexsort((column, talk))
    return framed(
        (worker[order], talk[order], arm[order], column[order]),
        score_[order].astype(float),
        study=study,
        title=title,
        population=population,
        models=models,
        axes=AXES,
        people=tuple(people),
    )


def _places(arms: Sequence[Arm], ids: Integers) -> Integers:
    """Where the arms of these ids stand."""
    known = np.array([arm.pk for arm in arms], dtype=np.int64)
    order = np.argsort(known)
    return order[np.searchsorted(known, ids, sorter=order)] if len(known) else np.zeros(0, dtype=np.int64)


def _codes(names: Ids) -> tuple[list[str], Integers]:
    """The distinct names in the order of their first appearance, and each entry's place among them."""
    seen: dict[bytes, int] = {}
    codes = np.array([seen.setdefault(name, len(seen)) for name in names.tolist()], dtype=np.int64)
    return [name.decode() for name in seen], codes


def model_labels(arms: Sequence[Arm]) -> tuple[str, ...]:
    """Names of the arms' models; where two arms share one, what tells them apart is added."""
    shared = Counter(arm.revision.model.name for arm in arms)

    def label(arm: Arm) -> str:
        model, number = arm.revision.model, arm.revision.number
        return model.name if shared[model.name] == 1 else f"{model.name} ({model.slug} r{number})"

    return tuple(label(arm) for arm in arms)
