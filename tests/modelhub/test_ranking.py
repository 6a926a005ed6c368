"""Ranks: pessimistic ties, and the same for any batch and any order of candidates."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch

from modelhub.agents.base import Agent, CandidateScorer
from modelhub.agents.random_skill import RandomSkillAgent
from modelhub.agents.retrieval import RetrievalAgent
from modelhub.agents.scripted import ScriptedAgent
from modelhub.agents.two_stage import TwoStageAgent
from modelhub.benchmarks.candidates import Question
from modelhub.benchmarks.ranking import ranks
from modelhub.benchmarks.tasks import Options, ask
from modelhub.datasets.episodes import Example
from modelhub.datasets.layout import STARTER
from modelhub.dialogue import Dialogue, Skill
from modelhub.errors import AgentFailed
from modelhub.polyencoder import bank, checkpoints
from modelhub.polyencoder.config import ManagerConfig
from modelhub.polyencoder.tokens import TextEncoder, said_lines

from .conftest import talk


class Stated:
    """Scores as they are stated; with more than one text at a time, off by a little noise."""

    def __init__(self, scores: dict[str, float], noise: float = 0.0) -> None:
        self._scores, self._noise = scores, noise

    def score(
        self,
        dialogues: Sequence[Dialogue],
        candidates: Sequence[Sequence[str]],
        *,
        batch: int = 64,
        progress=None,
    ) -> list[list[float]]:
        rng = random.Random(batch)
        noise = self._noise if batch > 1 else 0.0
        return [[self._scores[text] + rng.uniform(-noise, noise) for text in listed] for listed in candidates]


def question(*candidates: str) -> Question:
    dialogue = talk("hello")
    return Question(Example(dialogue, candidates[0], Skill.ED, "one"), candidates)


def test_ranks_are_those_of_sorting() -> None:
    rng = np.random.default_rng(3)
    names = [f"c{n}" for n in range(50)]
    agent = Stated(dict(zip(names, rng.normal(size=50).tolist(), strict=True)))
    asked, expected = [], []
    for _ in range(30):
        drawn = [names[place] for place in rng.permutation(50)[:20]]
        order = np.argsort([-agent.score([], [[name]])[0][0] for name in drawn])
        asked.append(question(*drawn))
        expected.append(order.tolist().index(0) + 1)
    assert ranks(agent, asked) == expected


@pytest.mark.parametrize(
    ("scores", "rank"),
    [((3, 1, 2), 1), ((3, 3, 2), 2), ((3, 3, 3), 3), ((1, 2, 1), 3), ((-1, -2, -1), 2), ((0, 0, 0), 3)],
)
def test_a_candidate_with_the_labels_score_stands_above_it(scores: tuple[int, ...], rank: int) -> None:
    names = ("label", "one", "two")
    assert ranks(Stated(dict(zip(names, scores, strict=True))), [question(*names)]) == [rank]


def test_what_rounding_could_turn_is_decided_by_each_text_alone() -> None:
    scores = {"label": 10.0, "just above": 10.00001, "just below": 9.99999, "far below": 9.0}
    asked = [question(*scores)] * 40
    for noise in (0.0, 1e-4):
        assert set(ranks(Stated(scores, noise), asked)) == {2}


def test_scores_that_are_no_numbers_are_refused() -> None:
    agent = Stated({"label": 1.0, "one": float("nan")})
    with pytest.raises(AgentFailed, match=r"talk: the model scores a candidate with no finite number"):
        ranks(agent, [question("label", "one")])


# --- Networks -----------------------------------------------------------------------------------------------------


@pytest.fixture
def skills(make_model, tiny_base: Path, text_encoder: TextEncoder) -> dict[str, Agent]:
    def load(name: str, seed: int) -> RetrievalAgent:
        folder = make_model(name, seed=seed)
        return RetrievalAgent(checkpoints.load(folder, tiny_base), text_encoder, bank.load(folder), name)

    return {name: load(name, seed) for seed, name in enumerate(("convai2", "wow", "ed"))}


@pytest.fixture
def two_stage(skills, tiny_base: Path, asked: list[Question]) -> TwoStageAgent:
    """A manager that was not trained, moved so that it has no favourite among the questions' dialogues."""
    torch.manual_seed(5)
    network = checkpoints.fresh_manager(ManagerConfig(hidden=8, text_truncate=48), tiny_base).eval()
    texts = TextEncoder(tiny_base, network.config)
    with torch.no_grad():
        said = [said_lines(question.example.dialogue) for question in asked]
        network.head[2].bias -= network(*texts.contexts(said)).mean(0)
    return TwoStageAgent(network, texts, skills)


@pytest.fixture(params=["retrieval", "random skill", "two stage"])
def agent(request, skills, two_stage) -> CandidateScorer:
    kinds = {"retrieval": skills["ed"], "random skill": RandomSkillAgent(skills), "two stage": two_stage}
    return kinds[request.param]


@pytest.fixture(scope="module")
def asked() -> list[Question]:
    return list(ask(Skill.ED, STARTER, Options(candidates=12, max_examples=40)).questions)


def test_ranks_do_not_depend_on_the_batch(agent: CandidateScorer, asked: list[Question]) -> None:
    alone = ranks(agent, asked, batch=1)
    assert ranks(agent, asked, batch=7) == alone
    assert ranks(agent, asked, batch=64) == alone
    assert len(set(alone)) > 5


def test_ranks_do_not_depend_on_the_order_of_anything(agent: CandidateScorer, asked: list[Question]) -> None:
    shuffled = [Question(q.example, (q.candidates[0], *q.candidates[:0:-1])) for q in reversed(asked)]
    assert ranks(agent, shuffled)[::-1] == ranks(agent, asked)


def test_a_composite_ranks_as_the_part_it_chooses(skills, two_stage, asked: list[Question]) -> None:
    by_skill = {name: ranks(part, asked) for name, part in skills.items()}
    random_skill = RandomSkillAgent(skills)
    dialogues = [question.example.dialogue for question in asked]
    for composite, chosen in (
        (random_skill, [random_skill.choose(dialogue) for dialogue in dialogues]),
        (two_stage, [reply.evidence["skill"] for reply in two_stage.reply(dialogues)]),
    ):
        assert ranks(composite, asked) == [by_skill[skill][place] for place, skill in enumerate(chosen)]
        assert len(set(chosen)) > 1


def test_another_seed_chooses_other_skills(skills, asked: list[Question]) -> None:
    agent = RandomSkillAgent(skills)
    other = ask(Skill.ED, STARTER, Options(candidates=12, max_examples=40, seed=8)).questions
    mine = {q.example.dialogue.utterances: agent.choose(q.example.dialogue) for q in asked}
    theirs = {q.example.dialogue.utterances: agent.choose(q.example.dialogue) for q in other}
    shared = mine.keys() & theirs.keys()
    assert len(shared) > 5 and any(mine[said] != theirs[said] for said in shared)


def test_a_part_that_cannot_rank_is_refused(asked: list[Question]) -> None:
    agent = RandomSkillAgent({"one": ScriptedAgent(["hello"]), "two": ScriptedAgent(["hello"])})
    with pytest.raises(AgentFailed, match="cannot score given candidates"):
        ranks(agent, asked)
