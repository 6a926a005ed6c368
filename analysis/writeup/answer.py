"""The answer in a few sentences: which model is better, by how much, how sure that is, how many more talks it takes.

No more strongly than the numbers allow: a model is called the best where Hsu's comparisons leave no other.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import isclose

import numpy as np

from analysis.inference import Analysis
from analysis.statistics.differences import Untested
from analysis.statistics.means import Gap
from analysis.statistics.outlook import MOST, Outlook
from analysis.statistics.planning import POWER
from analysis.tables.headline import CHECKED_FROM
from analysis.writeup.differences import Pairs
from analysis.writeup.document import Answer, Part
from analysis.writeup.planning import more
from analysis.writeup.wording import (
    UNTESTED_WORDS,
    count,
    counted,
    exact,
    figure,
    level_text,
    listed,
    p_phrase,
    percent,
    span_apart,
)
from ratings.axes import Axis

NEED = "An interval takes ratings by at least two workers."
HOW_MUCH, HOW_SURE, MORE, MIND, MISSING = (
    "By how much",
    "How sure",
    "How many more talks",
    "Bear in mind",
    "What is missing",
)


def answer(analysis: Analysis, pairs: Pairs) -> Answer:
    """About the main axis."""
    rows = analysis.table.rows
    lacking = [
        analysis.models[m] for m in np.flatnonzero(analysis.cells.gap[:, analysis.main_place] != Gap.NONE)
    ]
    if not rows:
        return _answer("There are no models", [(MISSING, "Each model has a row in Table 7.")])
    if not analysis.table.talks:
        return _answer("There are no ratings yet", [(MISSING, NEED)])
    if len(rows) - len(lacking) < 2:
        lacks = [(MISSING, words) for words in _too_few(analysis, lacking)]
        return _answer("Too few ratings to compare models", lacks)
    if analysis.fitted[analysis.main_place].untested:
        return _untested(analysis, lacking)
    return _compared(analysis, pairs, lacking)


def _answer(title: str, parts: Sequence[tuple[str, str]]) -> Answer:
    return Answer(title, tuple(Part(question, sentence) for question, sentence in parts))


def on(analysis: Analysis) -> str:
    """The main axis in the middle of a sentence."""
    axis = analysis.table.axes[analysis.main_place]
    return f"on {axis.label.lower() if axis in Axis.values else axis}"


def _too_few(analysis: Analysis, lacking: list[str]) -> Iterator[str]:
    if lacking:
        verb = "has" if len(lacking) == 1 else "have"
        yield f"{listed(lacking)} {verb} no interval {on(analysis)}. {NEED}"
    if len(analysis.table.rows) == 1:
        yield "There is only one model."


def _untested(analysis: Analysis, lacking: list[str]) -> Answer:
    """The two highest means, and why no more can be said."""
    place = analysis.main_place
    cells = [(row.model, row.cells[place]) for row in analysis.table.rows if row.model not in lacking]
    ranked = sorted(cells, key=lambda each: -(each[1].mean or 0))
    told = [f"{cell.mean_text} ({cell.interval_text or cell.why})" for _, cell in ranked]
    first, second = (model for model, _ in ranked[:2])
    best = [model for model, cell in ranked if isclose(cell.mean or 0, ranked[0][1].mean or 0)]
    verb = "has" if len(best) == 1 else "have"
    mean = "same mean" if 1 < len(best) == len(ranked) else "highest mean"
    why = UNTESTED_WORDS[analysis.fitted[place].untested]
    return _answer(
        f"{listed(best)} {verb} the {mean} {on(analysis)}",
        [
            (HOW_MUCH, f"{first} has a mean of {told[0]}, {second} one of {told[1]}."),
            (HOW_SURE, f"Their difference is not tested: {why}."),
            *((MIND, words) for words in _not_compared(lacking)),
        ],
    )


def _compared(analysis: Analysis, pairs: Pairs, lacking: list[str]) -> Answer:
    place = analysis.main_place
    means, compared = analysis.fitted[place].means, set(analysis.fitted[place].compared)
    ranked = [int(m) for m in np.argsort(-means, kind="stable") if m in compared]
    possible = [m for m in ranked if analysis.best.possible[m, place]]
    parts = [
        (HOW_MUCH, _how_much(analysis, pairs, ranked)),
        (HOW_SURE, _how_sure(analysis, pairs, possible, ranked)),
        *((HOW_SURE, words) for words in _raw_order(analysis, ranked)),
        *((MORE, words) for words in _more_talks(analysis, pairs, ranked)),
        *((MIND, words) for words in _warnings(analysis, lacking, ranked)),
    ]
    return _answer(_title(analysis, possible, ranked), parts)


def _title(analysis: Analysis, possible: list[int], ranked: list[int]) -> str:
    names = [analysis.models[m] for m in possible]
    if len(names) == 1:
        return f"{names[0]} is the best {on(analysis)}"
    if len(names) == len(ranked):
        return f"No model is shown to be the best {on(analysis)}"
    if len(names) <= 3:
        return f"The best {on(analysis)} is {listed(names, last='or')}"
    return f"{len(names)} of {len(ranked)} models can be the best {on(analysis)}"


def _pair(analysis: Analysis, first: int, second: int) -> tuple[int, float]:
    """The place of a pair, and the sign that makes it first minus second."""
    found = analysis.of_pairs
    low, high = sorted((first, second))
    place = int(np.flatnonzero((found.first == low) & (found.second == high))[0])
    return place, 1.0 if first < second else -1.0


def _how_much(analysis: Analysis, pairs: Pairs, ranked: list[int]) -> str:
    first, second = ranked[:2]
    place, sign = _pair(analysis, first, second)
    axis, level = analysis.main_place, level_text(analysis.options.level)
    ends = sorted(sign * limit[place, axis] for limit in (pairs.tukey.low, pairs.tukey.high))
    cell = analysis.table.rows[first].cells[axis]
    estimate = sign * analysis.of_pairs.estimate[place, axis]
    ahead = f"{figure(estimate)} points above" if float(f"{estimate:.2f}") else "level with"
    return (
        f"{analysis.models[first]} has a mean of {cell.mean_text} ({cell.interval_text or cell.why}). With every "
        f"worker's leniency allowed for it is {ahead} {analysis.models[second]}, the next: {level} limits over all "
        f"pairs {span_apart(*ends)}, Tukey's {p_phrase(pairs.p_tukey[place, axis])}."
    )


def _how_sure(analysis: Analysis, pairs: Pairs, possible: list[int], ranked: list[int]) -> str:
    level, names = level_text(analysis.options.level), [analysis.models[m] for m in possible]
    if len(names) == 1:
        return (
            f"With {level} confidence no other model is better.{_but_over_all_pairs(analysis, pairs, ranked)}"
        )
    if len(names) == len(ranked):
        return f"At {level} confidence these ratings rule none of the {len(ranked)} models out as the best."
    return f"With {level} confidence the best is among {listed(names, most=len(names))}."


def _but_over_all_pairs(analysis: Analysis, pairs: Pairs, ranked: list[int]) -> str:
    """Why the best may be known while its difference from the next is not."""
    place, _ = _pair(analysis, *ranked[:2])
    if pairs.p_tukey[place, analysis.main_place] < analysis.alpha:
        return ""
    return (
        f" This asks which is the best and no more: with every pair compared, in both directions, it is not told "
        f"apart from {analysis.models[ranked[1]]}."
    )


def _raw_order(analysis: Analysis, ranked: list[int]) -> Iterator[str]:
    """Where the mean as it was given is highest elsewhere."""
    raw = analysis.cells.mean[:, analysis.main_place]
    top = max(ranked, key=lambda m: (raw[m], -m))
    if raw[top] > raw[ranked[0]]:
        yield (
            f"The highest mean as it was given is that of {analysis.models[top]}, {figure(raw[top])}; its raters were "
            "more lenient."
        )


def _more_talks(analysis: Analysis, pairs: Pairs, ranked: list[int]) -> Iterator[str]:
    outlook = analysis.outlooks[analysis.main_place]
    if outlook is None:
        return
    place, _ = _pair(analysis, *ranked[:2])
    found = bool(pairs.p_tukey[place, analysis.main_place] < analysis.alpha)
    power = percent(POWER, 0)
    for goal in outlook.goals:
        if goal.observed and (found or goal.needed_all is None):
            continue
        what = (
            "the one seen between these two" if goal.observed else f"a difference of {exact(goal.difference)}"
        )
        yield f"To find {what} with power {power} over all pairs takes {_talks(outlook, goal.needed_all)}."


def _talks(outlook: Outlook, needed: int | None) -> str:
    lacking = more(needed, outlook.have)
    if needed is None or lacking is None:
        return f"more than {count(MOST)} talks of each model"
    whole = f"{counted(needed, 'talk')} of each model"
    return f"{whole}, {count(lacking)} more than there are" if lacking else f"{whole}, which there are"


def _warnings(analysis: Analysis, lacking: list[str], ranked: list[int]) -> Iterator[str]:
    yield from _not_compared(lacking)
    yield from _unlinked(analysis)
    fewest = min((analysis.table.rows[m] for m in ranked), key=lambda row: row.talks)
    if fewest.talks < CHECKED_FROM:
        talks = counted(fewest.talks, "talk")
        yield (
            f"Early figures: {fewest.model} has {talks}; intervals were checked by simulation from {CHECKED_FROM} a "
            "model."
        )


def _not_compared(lacking: list[str]) -> Iterator[str]:
    if lacking:
        yield f"{listed(lacking)} {'is' if len(lacking) == 1 else 'are'} not compared. {NEED}"


def _unlinked(analysis: Analysis) -> Iterator[str]:
    """Where a difference between models is one between workers too."""
    tested = analysis.of_pairs.untested[:, analysis.main_place] == Untested.NONE
    apart = tested & (analysis.of_pairs_within.untested[:, analysis.main_place] == Untested.NOT_LINKED)
    if apart.any():
        pairs = "No two models were" if apart.sum() == tested.sum() else "Some pairs of models were not"
        yield (
            f"{pairs} rated by the same workers: what they differ by is theirs only where models were dealt at random."
        )
