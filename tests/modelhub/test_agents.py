"""What agents answer, and what they never say."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from modelhub.agents import spoken
from modelhub.agents.base import normalise
from modelhub.agents.random_skill import RandomSkillAgent
from modelhub.agents.retrieval import RetrievalAgent
from modelhub.agents.scripted import ScriptedAgent
from modelhub.agents.spoken import Spoken
from modelhub.agents.two_stage import TwoStageAgent
from modelhub.dialogue import Context, Speaker, Utterance
from modelhub.errors import AgentFailed, CheckpointError, NoCandidateLeft
from modelhub.polyencoder import bank, checkpoints
from modelhub.polyencoder.tokens import TextEncoder

from .conftest import SOURCES, TEXTS, talk

Load = Callable[..., RetrievalAgent]


@pytest.fixture
def load(make_model, tiny_base: Path, text_encoder: TextEncoder) -> Load:
    def make(skill: str = "convai2", **options: object) -> RetrievalAgent:
        folder = make_model(skill, **options)
        return RetrievalAgent(checkpoints.load(folder, tiny_base), text_encoder, bank.load(folder), skill)

    return make


@pytest.fixture
def skills() -> dict[str, ScriptedAgent]:
    return {name: ScriptedAgent([f"{name} {n}" for n in range(5)]) for name in ("convai2", "wow", "ed")}


# --- Retrieval ----------------------------------------------------------------------------------------------------


def test_the_best_candidate_answers_with_its_evidence(load: Load) -> None:
    agent = load()
    reply = agent.reply([talk("hello")])[0]
    best = agent.suggest(talk("hello"), 6)
    assert reply == best[0] == max(best, key=lambda r: r.evidence["score"])
    place = TEXTS.index(reply.text)
    assert reply.evidence == {
        "candidate": place,
        "source": SOURCES[place],
        "score": reply.evidence["score"],
        "skill": "convai2",
    }


def test_without_a_skill_an_answer_has_that_of_its_source(load: Load) -> None:
    agent = load()
    agent.skill = ""
    for reply in agent.suggest(talk("hello"), 6):
        assert reply.evidence["skill"] == reply.evidence["source"]


def test_dialogues_answered_together_are_answered_as_alone(load: Load) -> None:
    agent = load()
    dialogues = [talk("hello"), talk("i like the sea", "me too", "oh no " * 20), talk()]
    together = agent.reply(dialogues)
    assert [r.text for r in together] == [agent.reply([d])[0].text for d in dialogues]


def test_no_dialogues_no_replies(load: Load) -> None:
    assert load().reply([]) == []


def test_nothing_that_was_said_is_said_again(load: Load) -> None:
    agent, said = load(), ["hello"]
    for _ in range(len(TEXTS)):
        said += [agent.reply([talk(*said)])[0].text, f"and {len(said)}?"]
    assert sorted(said[1::2]) == sorted(TEXTS)


@pytest.mark.parametrize("disguise", ["{}", "  {}!!", "{}..."])
def test_a_disguise_does_not_let_a_repeat_through(load: Load, disguise: str) -> None:
    agent = load()
    best = agent.reply([talk("hello")])[0].text
    said = disguise.format(best.upper().replace(" ", "  "))
    seeds = (Utterance(Speaker.WORKER, said), Utterance(Speaker.MODEL, "yes"))
    for dialogue in (talk("hello", said, "go on"), talk("hello", context=Context(seeds=seeds))):
        assert normalise(agent.reply([dialogue])[0].text) != normalise(best)


def test_all_copies_of_what_was_said_are_passed_over(load: Load) -> None:
    agent = load(texts=["Hello you.", "hello you", "HELLO, YOU!", "something else"])
    assert agent.reply([talk("hello you")])[0].text == "something else"


def test_texts_whose_hashes_are_equal_are_told_apart(monkeypatch) -> None:
    monkeypatch.setattr(spoken, "hash", lambda text: 7, raising=False)
    found = Spoken(["a dog", "a cat", "A dog!"])
    assert found.places("a dog") == [0, 2] and found.places("a cat") == [1] and found.places("a cow") == []


def test_a_bank_that_is_used_up_is_an_error_that_says_so(load: Load) -> None:
    with pytest.raises(NoCandidateLeft, match=r"All 6 candidates of the bank were said.*larger bank"):
        load().reply([talk(*TEXTS)])


def test_suggestions_differ_and_end_with_the_bank(load: Load) -> None:
    agent = load(texts=["a dog", "A dog!", "a cat", "a cow"])
    suggested = agent.suggest(talk("a cow"), 10)
    assert sorted(normalise(reply.text) for reply in suggested) == ["a cat", "a dog"]
    assert len(agent.suggest(talk("a cow"), 1)) == 1


def test_a_bank_of_another_width_is_refused(trained, text_encoder) -> None:
    import torch

    with pytest.raises(CheckpointError, match="a bank of width 8 for a network of width 32"):
        RetrievalAgent(trained, text_encoder, bank.Bank(("a",), ("ed",), torch.zeros(1, 8)), "ed")


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("Hello, there!", "hello there", True),
        ("it's  OK", "its ok", True),
        ("caf\u00e9", "cafe\u0301", True),
        ("hello there", "hello", False),
        (":)", ":(", False),
    ],
)
def test_what_counts_as_the_same(one: str, other: str, same: bool) -> None:
    assert (normalise(one) == normalise(other)) is same


# --- Random skill -------------------------------------------------------------------------------------------------


def test_skills_are_chosen_uniformly_over_talks(skills) -> None:
    agent = RandomSkillAgent(skills)
    counts = Counter(agent.choose(talk("hello", key=f"talk-{n}")) for n in range(3000))
    # Chi-squared with two degrees of freedom: 13.8 is the .001 point.
    assert set(counts) == set(skills)
    assert sum((count - 1000) ** 2 / 1000 for count in counts.values()) < 13.8


def test_skills_are_chosen_anew_each_turn(skills) -> None:
    agent = RandomSkillAgent(skills)
    assert len({agent.choose(talk(*["hi"] * turns)) for turns in range(1, 20)}) == 3


def test_asking_again_gives_the_same_reply(skills) -> None:
    agent = RandomSkillAgent(skills)
    dialogues = [talk("hello", key=f"talk-{n}") for n in range(20)]
    assert agent.reply(dialogues) == agent.reply(dialogues)
    assert agent.reply(dialogues)[7] == agent.reply([dialogues[7]])[0]


def test_the_chosen_skill_answers_and_is_evidence(skills) -> None:
    agent = RandomSkillAgent(skills)
    dialogues = [talk("hello", key=f"talk-{n}") for n in range(20)]
    for dialogue, reply in zip(dialogues, agent.reply(dialogues), strict=True):
        assert reply.text == f"{agent.choose(dialogue)} 0"
        assert reply.evidence["skill"] == agent.choose(dialogue)
        assert agent.suggest(dialogue, 2)[0] == reply


# --- Two stage ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("favourite", ["convai2", "wow", "ed"])
def test_the_manager_picks_who_answers(make_manager, skills, tiny_base, text_encoder, favourite: str) -> None:
    manager = checkpoints.load_manager(make_manager(favourite), tiny_base)
    agent = TwoStageAgent(manager, text_encoder, skills)
    for reply in [
        *agent.reply([talk("hello"), talk("hi", "you", "there")]),
        *agent.suggest(talk("hello"), 2),
    ]:
        assert reply.text.startswith(favourite)
        assert reply.evidence["skill"] == favourite
        assert reply.evidence["manager"][favourite] == pytest.approx(1, abs=1e-3)


def test_two_stage_answers_nothing_with_nothing(make_manager, skills, tiny_base, text_encoder) -> None:
    manager = checkpoints.load_manager(make_manager("ed"), tiny_base)
    assert TwoStageAgent(manager, text_encoder, skills).reply([]) == []


def test_a_class_without_a_part_is_refused(make_manager, skills, tiny_base, text_encoder) -> None:
    manager = checkpoints.load_manager(make_manager("ed"), tiny_base)
    del skills["wow"]
    with pytest.raises(CheckpointError, match="the manager chooses wow, but no part has that skill"):
        TwoStageAgent(manager, text_encoder, skills)


# --- Scripted -----------------------------------------------------------------------------------------------------


def test_a_script_is_said_in_order() -> None:
    agent = ScriptedAgent(["one", "two", "three"])
    replies = agent.reply([talk("a"), talk("a", "one", "b"), talk("a", "one", "b", "two", "c")])
    assert [reply.text for reply in replies] == ["one", "two", "three"]


def test_a_script_passes_over_what_was_said_and_ends_with_an_error() -> None:
    agent = ScriptedAgent(["one", "two"])
    assert agent.reply([talk("One!")])[0].text == "two"
    with pytest.raises(NoCandidateLeft, match="All 2 scripted replies were said"):
        agent.reply([talk("one", "two", "more")])


@pytest.mark.parametrize("replies", [[], [""], [5]])
def test_a_script_without_sentences_is_refused(replies: list) -> None:
    with pytest.raises(AgentFailed, match='needs `"replies"`'):
        ScriptedAgent(replies)
