"""Skill selection by provenance: which data sets the utterances that a model chooses come from.

Smith et al. 2020, section 4.2 and Table 4. A reply is the one that a talk would get: the best of the model's bank
that was not said yet; of a composite, that of the part it chose.
"""

from __future__ import annotations

from collections.abc import Sequence

from modelhub.agents.base import Agent
from modelhub.benchmarks.candidates import Question
from modelhub.errors import AgentFailed
from modelhub.progress import Progress

#: Dialogues answered at once.
BATCH = 32


def sources(agent: Agent, questions: Sequence[Question], progress: Progress | None = None) -> list[str]:
    """The data set of each question's reply. Raises AgentFailed for a model whose replies tell none."""
    order = sorted(range(len(questions)), key=lambda place: _characters(questions[place]))
    found: dict[int, str] = {}
    for start in range(0, len(order), BATCH):
        places = order[start : start + BATCH]
        replies = agent.reply([questions[place].example.dialogue for place in places])
        for place, reply in zip(places, replies, strict=True):
            if not isinstance(source := reply.evidence.get("source"), str):
                raise AgentFailed("the model's replies do not tell which data set they come from.")
            found[place] = source
        if progress:
            progress("replies", len(found), len(questions))
    return [found[place] for place in range(len(questions))]


def _characters(question: Question) -> int:
    return sum(len(utterance.text) for utterance in question.example.dialogue.said)
