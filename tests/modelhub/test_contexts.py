"""Contexts of talks and the debiasing of training dialogues, on the starter corpus."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from modelhub.datasets import layout, personas
from modelhub.datasets.contexts import draw_contexts
from modelhub.datasets.debias import debiased, words
from modelhub.datasets.episodes import examples
from modelhub.datasets.errors import DatasetMissing
from modelhub.datasets.personas import Personas
from modelhub.dialogue import Context, Skill, Speaker
from modelhub.polyencoder.tokens import context_lines


@pytest.fixture(scope="module")
def drawn() -> list[Context]:
    return draw_contexts(300, seed=11)


def test_the_same_seed_draws_the_same_contexts(drawn: list[Context]) -> None:
    assert draw_contexts(300, seed=11) == drawn
    assert draw_contexts(300, seed=12) != drawn


def test_seeds_come_from_the_three_skills_with_equal_probability(drawn: list[Context]) -> None:
    counts = Counter(context.source for context in drawn)
    assert set(counts) == {Skill.CONVAI2, Skill.WOW, Skill.ED}
    # Six standard deviations of a binomial draw with a third.
    assert all(abs(count - 100) < 49 for count in counts.values())


def test_each_speaker_has_two_sentences_of_one_persona_and_none_of_the_others(drawn: list[Context]) -> None:
    listed = [set(persona) for persona in personas.read().personas]
    for context in drawn:
        for persona in (context.worker_persona, context.model_persona):
            assert len(set(persona)) == 2
            assert any(set(persona) <= whole for whole in listed)
        assert not set(context.worker_persona) & set(context.model_persona)


def test_the_worker_said_the_first_seed_and_the_model_the_second(drawn: list[Context]) -> None:
    assert {tuple(seed.speaker for seed in context.seeds) for context in drawn} == {
        (Speaker.WORKER, Speaker.MODEL)
    }


def test_wow_seeds_bring_a_topic_that_one_persona_matches(drawn: list[Context]) -> None:
    sentences = personas.read().sentences
    sides = Counter()
    for context in drawn:
        assert bool(context.topic) == (context.source is Skill.WOW)
        if context.topic:
            matched = set(sentences[context.topic])
            assert matched & {*context.worker_persona, *context.model_persona}
            sides[bool(matched & set(context.model_persona))] += 1
    assert min(sides[True], sides[False]) > 20


def test_ed_seeds_bring_their_situation_and_begin_the_dialogue(drawn: list[Context]) -> None:
    opened = {
        episode.turns[:2]: episode.situation
        for split in ("valid", "test")
        for episode in layout.read(Skill.ED, split)
    }
    for context in drawn:
        assert bool(context.situation) == (context.source is Skill.ED)
        if context.situation:
            assert opened[context.seeds] == context.situation


def test_no_seed_is_a_training_utterance(drawn: list[Context]) -> None:
    trained = {turn.text for skill in Skill for e in layout.read(skill, "train") for turn in e.turns}
    assert not trained & {seed.text for context in drawn for seed in context.seeds}


def test_seeds_repeat_only_when_all_were_drawn(drawn: list[Context]) -> None:
    pairs = Counter(context.seeds for context in drawn if context.source is Skill.ED)
    assert max(pairs.values()) - min(pairs.values()) <= 1


def test_a_folder_without_data_is_named(tmp_path: Path) -> None:
    with pytest.raises(DatasetMissing, match=str(tmp_path)):
        draw_contexts(1, seed=1, folder=tmp_path)


def test_contexts_are_drawn_from_official_files(reference: Path) -> None:
    folder = reference / "data"
    with pytest.raises(DatasetMissing, match="wow"):
        # Only a sample of WoW is there.
        draw_contexts(3, seed=1, folder=folder)


# --- Debiasing (section 3.2) ------------------------------------------------------------------------------

LISTS = Personas(
    personas=(("i keep bees.", "i am tall."), ("i lost my dog.", "i sing."), ("i cook.", "i ski.")),
    sentences={"Honey": ("i keep bees.",), "Dogs": ("i lost my dog.",), "Snow": ("i ski.",)},
)


def test_wow_gets_a_persona_that_its_topic_is_mapped_to() -> None:
    episode = layout.read(Skill.WOW, "train")[0]
    given = debiased(replace(episode, topic="Dogs"), LISTS, seed=1)
    assert given.model_persona == ("i lost my dog.", "i sing.")
    assert given.topic == "Dogs"


def test_convai2_gets_a_topic_by_the_inverse_mapping() -> None:
    episode = layout.read(Skill.CONVAI2, "train")[0]
    given = debiased(replace(episode, model_persona=("i am tall.", "i ski.")), LISTS, seed=1)
    assert (given.topic, given.model_persona) == ("Snow", ("i am tall.", "i ski."))


def test_ed_gets_the_persona_with_most_words_in_common_then_a_topic() -> None:
    episode = layout.read(Skill.ED, "train")[0]
    opening = replace(episode.turns[0], text="My dog ran off and I lost him.")
    given = debiased(replace(episode, turns=(opening, *episode.turns[1:])), LISTS, seed=1)
    assert (given.model_persona, given.topic) == (("i lost my dog.", "i sing."), "Dogs")


@pytest.mark.parametrize("skill", [Skill.CONVAI2, Skill.WOW, Skill.ED])
def test_every_debiased_dialogue_of_the_corpus_shows_a_persona_and_a_topic(skill: Skill) -> None:
    lists = personas.read()
    for episode in layout.read(skill, "train"):
        given = debiased(episode, lists, seed=1)
        assert given.model_persona in lists.personas and given.topic in lists.sentences
        assert given == debiased(episode, lists, seed=1)
        assert given.turns == episode.turns


def test_a_debiased_dialogue_is_read_with_persona_and_topic() -> None:
    episode = debiased(layout.read(Skill.ED, "train")[0], personas.read(), seed=1)
    lines = context_lines(next(iter(examples(episode))).dialogue)
    assert lines[0].startswith("your persona: ") and episode.topic in lines


def test_words_that_say_nothing_do_not_count() -> None:
    assert words("I was at the sea, and it's COLD") == {"sea", "cold"}
