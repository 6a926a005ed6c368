"""The rank of what a person really said among the candidates. numpy only; the agent does the rest.

Ties are pessimistic: a candidate with the label's score stands above it. Scores closer than rounding can tell are
computed again for each text alone, so that a rank depends neither on the batch nor on the order of candidates.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from modelhub.agents.base import BATCH, CandidateScorer
from modelhub.benchmarks.candidates import Question
from modelhub.errors import AgentFailed
from modelhub.progress import Progress

#: Scores whose difference is below this share of the largest one may be turned by rounding in float32, which is
#: some 1e-6 of it.
NEAR = 1e-4


def ranks(
    agent: CandidateScorer,
    questions: Sequence[Question],
    *,
    batch: int = BATCH,
    progress: Progress | None = None,
) -> list[int]:
    """The label's rank, from 1, for each question. Raises AgentFailed for scores that are no numbers."""
    found: list[int] = []
    unsure: dict[int, list[int]] = {}
    for place, row in enumerate(_scores(agent, questions, batch, progress)):
        label, others = row[0], row[1:]
        slack = NEAR * np.abs(row).max()
        found.append(1 + int((others > label + slack).sum()))
        near = np.flatnonzero(np.abs(others - label) <= slack)
        if len(near):
            unsure[place] = [0, *(near + 1).tolist()]
    again = [_among(questions[place], near) for place, near in unsure.items()]
    for place, row in zip(unsure, _scores(agent, again, 1, None), strict=True):
        found[place] += int((row[1:] >= row[0]).sum())
    return found


def _among(question: Question, places: Sequence[int]) -> Question:
    return Question(question.example, tuple(question.candidates[place] for place in places))


def _scores(
    agent: CandidateScorer, questions: Sequence[Question], batch: int, progress: Progress | None
) -> list[np.ndarray]:
    """Each question's candidates' scores, the label's first."""
    if not questions:
        return []
    rows = agent.score(
        [question.example.dialogue for question in questions],
        [question.candidates for question in questions],
        batch=batch,
        progress=progress,
    )
    for question, row in zip(questions, rows, strict=True):
        if not np.isfinite(row).all():
            raise AgentFailed(
                f"{question.example.dialogue.key}: the model scores a candidate with no finite number; its weights "
                "are broken, so train or import it again."
            )
    return [np.array(row) for row in rows]
