"""Personas and topics for single-skill dialogues (Smith et al. 2020, section 3.2)."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

import pytest

from modelhub.datasets import layout, personas, wizard
from modelhub.datasets.debias import debiased
from modelhub.datasets.episodes import examples
from modelhub.datasets.overlap import WordIndex, words
from modelhub.datasets.parlai_text import acts
from modelhub.datasets.personas import Personas
from modelhub.dialogue import Skill
from modelhub.polyencoder.tokens import context_lines

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


def test_the_index_finds_what_a_search_through_all_texts_finds() -> None:
    texts = ["old dogs and cats", "a dog", "cats, dogs", "cold sea", "dogs like old cats"]
    index = WordIndex(texts)
    for wanted in ("cats dogs", "old cats dogs", "sea", "nothing here at all"):
        overlaps = [len(words(wanted) & words(text)) for text in texts]
        best = {place for place, count in enumerate(overlaps) if count == max(overlaps)}
        drawn = {index.most_common(words(wanted), random.Random(seed)) for seed in range(200)}
        assert drawn == best


# --- Real dialogues ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def official(reference_data: Path) -> Personas:
    return personas.read(reference_data)


def test_every_ed_dialogue_gets_a_persona_of_the_list_that_no_other_exceeds(
    reference_data: Path, official: Personas
) -> None:
    episodes = layout.read(Skill.ED, "valid", reference_data)
    listed = {persona: words(" ".join(persona)) for persona in official.personas}
    for episode in random.Random(1).sample(episodes, 40):
        opening = words(episode.turns[0].text)
        given = debiased(episode, official, seed=1)
        assert len(listed[given.model_persona] & opening) == max(
            len(each & opening) for each in listed.values()
        )
    assert all(debiased(episode, official, seed=1).model_persona in listed for episode in episodes)


def test_real_dialogues_get_a_topic_by_the_inverse_mapping_where_a_sentence_is_mapped(
    reference_data: Path, official: Personas
) -> None:
    mapped = 0
    for skill in (Skill.CONVAI2, Skill.ED):
        for episode in layout.read(skill, "valid", reference_data):
            given = debiased(episode, official, seed=1)
            fitting = {
                topic for sentence in given.model_persona for topic in official.topics.get(sentence, ())
            }
            assert given.topic in (fitting or official.sentences)
            mapped += bool(fitting)
            if skill is Skill.CONVAI2:
                assert given.model_persona == episode.model_persona
    assert mapped > 1_000


def test_real_wizard_dialogues_get_a_persona_that_their_topic_is_mapped_to(
    reference_data: Path, official: Personas
) -> None:
    for episode in wizard.read(reference_data / "wizard_of_wikipedia" / "sample.json"):
        given = debiased(episode, official, seed=1)
        assert given.topic == episode.topic
        assert set(given.model_persona) & set(official.sentences[episode.topic])
        assert given.model_persona in official.personas


def test_a_real_debiased_dialogue_begins_with_persona_and_topic(
    reference_data: Path, official: Personas
) -> None:
    """In ParlAI's order: persona, topic, first utterance."""
    for skill in (Skill.CONVAI2, Skill.ED):
        episode = layout.read(skill, "valid", reference_data)[0]
        given = debiased(episode, official, seed=1)
        *persona, topic, first = acts(given)[0].text.split("\n")
        assert [f"your persona: {sentence}" for sentence in given.model_persona] == persona
        assert (topic, first) == (given.topic, episode.turns[0].text)
