"""hits@1: fair candidates, strict ties, and a bootstrap that keeps dialogues together."""

from __future__ import annotations

import pytest
import torch

from modelhub.benchmarks.bootstrap import paired_difference
from modelhub.benchmarks.candidates import TooFewLabels, questions
from modelhub.benchmarks.hits import Hit, hits_at_1, scorer, share
from modelhub.datasets import layout
from modelhub.datasets.episodes import examples_of
from modelhub.dialogue import Skill
from modelhub.polyencoder.network import PolyEncoder
from modelhub.polyencoder.tokens import TextEncoder

EXAMPLES = examples_of(layout.read(Skill.ED, "test"))


def test_candidates_are_twenty_different_utterances_of_other_dialogues() -> None:
    own = {}
    for example in EXAMPLES:
        own.setdefault(example.episode, set()).add(example.label)
    for question in questions(EXAMPLES, seed=1):
        assert len(set(question.candidates)) == 20
        assert set(question.candidates) & own[question.example.episode] == {question.example.label}


def test_candidates_depend_on_the_seed_and_not_on_the_order() -> None:
    drawn = {q.example.dialogue.key: q.candidates for q in questions(EXAMPLES, seed=1)}
    assert drawn == {q.example.dialogue.key: q.candidates for q in questions(EXAMPLES[::-1], seed=1)}
    assert drawn != {q.example.dialogue.key: q.candidates for q in questions(EXAMPLES, seed=2)}


def test_too_few_utterances_are_refused() -> None:
    with pytest.raises(TooFewLabels):
        questions(EXAMPLES[:15], seed=1)


def test_a_tie_is_a_miss() -> None:
    asked = questions(EXAMPLES, seed=1)[:3]
    scores = torch.zeros(3, 20)
    scores[0, 0] = 1
    scores[1, 5] = 1
    assert [hit.hit for hit in hits_at_1(lambda batch: scores, asked)] == [True, False, False]


def test_scores_do_not_depend_on_the_other_questions(trained: PolyEncoder, text_encoder: TextEncoder) -> None:
    asked = questions(EXAMPLES, seed=1)[:6]
    score = scorer(trained, text_encoder)
    alone = torch.cat([score([question]) for question in asked])
    assert torch.allclose(score(asked), alone, atol=1e-3)


def made(pattern: str) -> list[Hit]:
    """``"ab": "110 01"``: dialogues parted by spaces, a hit a 1."""
    return [Hit(str(number), mark == "1") for number, marks in enumerate(pattern.split()) for mark in marks]


def test_equal_models_differ_by_nothing() -> None:
    difference = paired_difference([(made("110 01"), made("110 01"))], seed=1)
    assert (difference.value, difference.lower, difference.upper) == (0, 0, 0)


def test_the_difference_is_the_mean_over_tasks() -> None:
    tasks = [(made("11 11"), made("00 00")), (made("1000 0000"), made("1000 0000"))]
    assert paired_difference(tasks, seed=1).value == 0.5


def test_utterances_of_one_dialogue_stay_together() -> None:
    together = paired_difference([(made("1111 0000"), made("0000 1111"))], seed=1)
    apart = paired_difference([(made("1 1 1 1 0 0 0 0"), made("0 0 0 0 1 1 1 1"))], seed=1)
    assert (together.lower, together.upper) == (-1, 1)
    assert apart.upper < 1


def test_answers_to_different_questions_cannot_be_compared() -> None:
    with pytest.raises(ValueError, match="same questions"):
        paired_difference([(made("1 1"), made("11"))], seed=1)


def test_hits_are_a_share() -> None:
    assert share(made("1100")) == 0.5
