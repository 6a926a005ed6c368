"""Annotators one by one: how far each agrees with the others, and what agreement would be without them.

Shapes: J judgements, one entry each, at most one of a unit by an annotator; N annotators, U units, V values.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array, triu

from analysis.statistics.agreement import Metric, alpha_of, coincidences, value_counts
from analysis.statistics.means import Floats, Integers

#: Numbers in the coincidence matrices of all judgements together; beyond that nobody waits for alpha without each.
MOST_COINCIDENCES = 2**31
#: Judgements whose coincidence matrices are held at once.
AT_ONCE = 2**22


# --- Pairs --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class AnnotatorPairs:
    """Pairs of annotators who judged some of the same units; each array has an entry a pair.

    ``units`` that both judged, the ``agreeing`` share of them, and Cohen's ``kappa`` (Cohen 1960), NaN where both gave
    one and the same value throughout.
    """

    first: Integers
    second: Integers
    units: Integers
    agreeing: Floats
    kappa: Floats


def annotator_pairs(annotator: Integers, unit: Integers, value: Integers) -> AnnotatorPairs:
    """Compare every two annotators, (J,) each."""
    shape = (int(annotator.max(initial=-1)) + 1, int(unit.max(initial=-1)) + 1)
    judged = csr_array((np.ones(len(unit)), (annotator, unit)), shape=shape)
    shared = triu(judged @ judged.T, 1).tocsr().tocoo()  # sorted by rows
    first, second, units = shared.row, shared.col, shared.data
    agreeing, chance = np.zeros((2, len(first)))
    for each in range(int(value.max(initial=-1)) + 1):
        given = value == each
        mine = csr_array((np.ones(given.sum()), (annotator[given], unit[given])), shape=shape)
        beside = (mine @ judged.T).tocsr()
        agreeing += (mine @ mine.T).tocsr()[first, second] / units
        chance += beside[first, second] * beside[second, first] / units**2
    with np.errstate(divide="ignore", invalid="ignore"):
        kappa = np.where(chance < 1, (agreeing - chance) / (1 - chance), np.nan)
    return AnnotatorPairs(
        first.astype(np.int64), second.astype(np.int64), units.astype(np.int64), agreeing, kappa
    )


# --- Each beside all others ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class EachAnnotator:
    """Each array (N,). ``judged`` counts an annotator's units, ``compared`` those that others judged too.

    ``agreeing`` is the share of others' judgements of these that are the annotator's own, NaN without any;
    ``alpha_without`` is alpha of all others' judgements, NaN where these tell none.
    """

    judged: Integers
    compared: Integers
    agreeing: Floats
    alpha_without: Floats


def each_annotator(
    annotator: Integers, unit: Integers, value: Integers, metric: Metric, places: Floats
) -> EachAnnotator:
    """From judgements (J,) whose values are numbered from 0; ``places`` (V,) are the numbers of the interval metric."""
    counts = value_counts(unit, value, int(unit.max(initial=-1)) + 1, len(places))
    others, same = counts.sum(axis=1)[unit] - 1, counts[unit, value] - 1
    people = int(annotator.max(initial=-1)) + 1
    of_others, agreeing = (np.bincount(annotator, part, people) for part in (others, same))
    with np.errstate(divide="ignore", invalid="ignore"):
        return EachAnnotator(
            judged=np.bincount(annotator, minlength=people),
            compared=np.bincount(annotator, others > 0, people).astype(np.int64),
            agreeing=agreeing / of_others,
            alpha_without=_alpha_without(counts, annotator, unit, value, metric, places),
        )


def _alpha_without(
    counts: Floats, annotator: Integers, unit: Integers, value: Integers, metric: Metric, places: Floats
) -> Floats:
    """Taking away a judgement changes its own unit's coincidences alone."""
    people, values = int(annotator.max(initial=-1)) + 1, len(places)
    if len(unit) * values**2 > MOST_COINCIDENCES:
        return np.full(people, np.nan)
    change = np.zeros((people, values**2))
    step = max(AT_ONCE // values**2, 1)
    for begin in range(0, len(unit), step):
        who, of, what = (part[begin : begin + step] for part in (annotator, unit, value))
        after = counts[of] - np.eye(values)[what]
        np.add.at(change, who, _of_several(after) - _of_several(counts[of]))
    return alpha_of(_of_several(counts).sum(axis=0) + change, metric, places)


def _of_several(counts: Floats) -> Floats:
    """Coincidences of rows of counts, none of rows that were judged less than twice."""
    several = counts.sum(axis=1) > 1
    found = np.zeros((len(counts), counts.shape[1] ** 2))
    found[several] = coincidences(counts[several])
    return found


# --- Units --------------------------------------------------------------------------------------------------


def majority(counts: Floats) -> Integers:
    """The value that most judgements of a unit gave, (U,); -1 where several share the first place."""
    most = counts.max(axis=1, initial=0)
    tied = (counts == most[:, None]).sum(axis=1) != 1
    return np.where(tied, -1, counts.argmax(axis=1))
