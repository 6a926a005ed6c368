"""Rules that measure a worker against the study: how they rate, and how long they take."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping
from uuid import UUID

import numpy as np

from ratings.quality.columns import AXES, Columns
from ratings.quality.evidence import Flag, Place
from ratings.quality.norms import Norms
from ratings.quality.pace import PaceModel, hurried
from ratings.quality.policy import Setting
from ratings.quality.random_rating import likeness
from ratings.quality.repeated_answers import Reading
from ratings.quality.straight_lining import StraightLiner, straight_liners
from ratings.quality.study_ratings import Floats

#: Asked of a worker whenever one of their talks is finished.
RULES = (Reading.EVERYWHERE.value, Reading.EACH_TALK.value, "talk_time", "message_time")


def flags(data: Columns, norms: Norms, settings: Mapping[str, Setting]) -> dict[UUID, list[Flag]]:
    """What is found about the workers of ``data``; ``norms`` are those of the whole study."""
    found: dict[UUID, list[Flag]] = defaultdict(list)
    for person, flag in (*_repeated(data, norms, settings), *_hurried(data, norms, settings)):
        found[person].append(flag)
    return found


def _repeated(data: Columns, norms: Norms, settings: Mapping[str, Setting]) -> Iterator[tuple[UUID, Flag]]:
    for reading in Reading:
        if reading.value not in settings or not len(data.score):
            continue
        for liner in straight_liners(data.ratings, norms.honest, reading):
            # One value everywhere is the other rule's matter.
            told_already = reading is Reading.EACH_TALK and liner.value_probability is not None
            if liner.talks >= settings[reading.value].threshold and not told_already:
                yield data.people[liner.worker], _straight(data, liner)


def _straight(data: Columns, liner: StraightLiner) -> Flag:
    numbers: dict[str, float | int | str] = {
        "talks": liner.talks,
        "ratings": liner.ratings,
        "answers": ", ".join("–" if each is None else str(each) for each in liner.answers),
    }
    if liner.value_probability is not None:
        numbers["probability_of_this_value"] = liner.value_probability
    return Flag(liner.rule.value, numbers, _ratings_of(data, liner.worker), min(liner.null_probability, 1.0))


def _ratings_of(data: Columns, worker: int) -> tuple[Place, ...]:
    """Every rating of the worker."""
    theirs = np.flatnonzero(data.worker[data.rated_talk] == worker)
    return tuple(
        Place(data.talks[data.rated_talk[row]], axis=AXES[data.axis[row]].value)
        for row in sorted(theirs, key=lambda row: (data.rated_talk[row], data.axis[row]))
    )


def _hurried(data: Columns, norms: Norms, settings: Mapping[str, Setting]) -> Iterator[tuple[UUID, Flag]]:
    if "talk_time" in settings:
        yield from _quick(data, "talk_time", data.seconds, norms.talk, settings["talk_time"])
    if "message_time" in settings:
        yield from _quick(data, "message_time", data.message_seconds, norms.message, settings["message_time"])


def _quick(
    data: Columns, rule: str, seconds: Floats, pace: PaceModel, setting: Setting
) -> Iterator[tuple[UUID, Flag]]:
    """Workers whose median is below the threshold's share of the study's."""
    for found in hurried(data.worker, seconds, setting.threshold, pace):
        numbers = {
            "talks": found.talks,
            "median_s": round(found.median_s, 1),
            "study_median_s": round(found.study_median_s, 1),
            "share": found.share,
        }
        places = tuple(Place(data.talks[row]) for row in np.flatnonzero(data.worker == found.worker))
        yield data.people[found.worker], Flag(rule, numbers, places, found.null_probability)


def unrelated(data: Columns, norms: Norms, setting: Setting) -> dict[UUID, Flag]:
    """Workers whose ratings agree with the others' as little as few honest workers' do, or scatter as much.

    Simulates honest workers, which takes half a minute for half a million ratings: a whole run asks it.
    """
    if not len(data.score):
        return {}
    found = {}
    for each in likeness(data.ratings, norms.honest):
        null = min(each.agreement_null, each.misfit_null)
        if null <= setting.threshold:
            numbers: dict[str, float | int | str] = {
                "talks": each.talks,
                "misfit": round(each.misfit, 3),
                "p_agreement": round(each.agreement_null, 4),
                "p_misfit": round(each.misfit_null, 4),
            }
            if not math.isnan(each.correlation):
                numbers["correlation"] = round(each.correlation, 3)
            # Two chances to be flagged: twice the smaller bounds their probability together (Bonferroni).
            found[data.people[each.worker]] = Flag(
                "unrelated_ratings", numbers, _ratings_of(data, each.worker), min(2 * null, 1.0)
            )
    return found
