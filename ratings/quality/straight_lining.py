"""Who gives the same ratings across all conversations, in both readings of these words (Smith et al. 2020, 4.1).

One value on all axes of all talks, or the same answers in every talk, such as always 4, 3, 2, 5; the second reading
includes the first. Nobody is judged by fewer than ``FEWEST_TALKS`` talks. With every flag stands how likely an honest
worker with the same talks would have been flagged, under the study's own rating model.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ratings.quality.honest import HonestModel
from ratings.quality.repeated_answers import NO_PATTERN, Reading, repeated_pattern
from ratings.quality.study_ratings import UNRATED, StudyRatings


@dataclass(frozen=True, slots=True)
class StraightLiner:
    """A worker whom a rule flags. ``answers`` go by axis, on the study's scale; None on an axis never rated.

    ``null_probability`` is P(the rule flags an honest worker with these talks). ``value_probability`` is P(an honest
    worker gives this very value everywhere), None where several are repeated: at the top of a scale where most ratings
    are, one value everywhere may be likely, and at its bottom all the same out of the question.
    """

    worker: int
    rule: Reading
    talks: int
    ratings: int
    answers: tuple[int | None, ...]
    null_probability: float
    value_probability: float | None


def straight_liners(study: StudyRatings, model: HonestModel, rule: Reading) -> list[StraightLiner]:
    """Everybody whom ``rule`` flags, by number."""
    talks = study.talks
    pattern = repeated_pattern(talks)
    several = talks.values
    flagged = (pattern != NO_PATTERN) & ((pattern < several) | (rule is Reading.EACH_TALK))
    theirs = talks.of(flagged)
    chances = model.answer_patterns(theirs, rule)
    ratings = np.bincount(talks.worker, weights=talks.rated.sum(axis=1), minlength=talks.workers)
    answers = np.full((talks.workers, talks.axes), UNRATED)
    np.maximum.at(answers, theirs.worker, theirs.answers)
    return [
        StraightLiner(
            worker=int(worker),
            rule=rule,
            talks=int(talks.talks_of[worker]),
            ratings=int(ratings[worker]),
            answers=tuple(None if each == UNRATED else int(each) + study.low for each in answers[worker]),
            null_probability=float(chances[worker].sum()),
            value_probability=float(chances[worker, pattern[worker]]) if pattern[worker] < several else None,
        )
        for worker in np.nonzero(flagged)[0]
    ]
