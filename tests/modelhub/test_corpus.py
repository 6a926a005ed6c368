"""The starter corpus is what it promises to be: large and varied enough, and consistent."""

from __future__ import annotations

import re
from collections import Counter
from itertools import pairwise

import pytest

from modelhub.datasets import layout, personas
from modelhub.datasets.episodes import Episode
from modelhub.dialogue import Skill

DIALOGUES = {Skill.CONVAI2: 100, Skill.WOW: 100, Skill.ED: 100, Skill.BST: 60}
UTTERANCES = {Skill.CONVAI2: 8, Skill.WOW: 8, Skill.ED: 4, Skill.BST: 8}


def dialogues(skill: Skill) -> list[Episode]:
    return [episode for split in layout.SPLITS for episode in layout.read(skill, split)]


def spoken(skill: Skill) -> list[str]:
    """Every utterance, seed pairs included."""
    return [said.text for episode in dialogues(skill) for said in (*episode.seeds, *episode.turns)]


def everything() -> list[str]:
    return [text for skill in Skill for text in spoken(skill)]


def words(text: str) -> list[str]:
    return re.findall(r"[\w']+", text.lower())


@pytest.mark.parametrize("skill", Skill)
def test_there_are_enough_dialogues_of_each_skill(skill: Skill) -> None:
    assert len(dialogues(skill)) >= DIALOGUES[skill]


@pytest.mark.parametrize("skill", Skill)
def test_every_test_split_has_at_least_twenty_five_dialogues(skill: Skill) -> None:
    assert len(layout.read(skill, "test")) >= 25


@pytest.mark.parametrize("skill", Skill)
def test_dialogues_are_long_enough(skill: Skill) -> None:
    lengths = [len(episode.turns) for episode in dialogues(skill)]
    assert min(lengths) >= UTTERANCES[skill]
    assert len(set(lengths)) > 2


@pytest.mark.parametrize("skill", Skill)
def test_utterances_have_nine_words_on_average_and_fit_a_message(skill: Skill) -> None:
    lengths = [len(text.split()) for text in spoken(skill)]
    assert sum(lengths) / len(lengths) >= 9
    assert max(lengths) <= 30


@pytest.mark.parametrize("skill", Skill)
def test_speakers_take_turns(skill: Skill) -> None:
    for episode in dialogues(skill):
        said = (*episode.seeds, *episode.turns)
        assert all(a.speaker is not b.speaker for a, b in pairwise(said)), episode.key


def test_fewer_than_one_utterance_in_a_hundred_is_a_duplicate() -> None:
    texts = [" ".join(words(text)) for text in everything()]
    assert len(texts) - len(set(texts)) < len(texts) / 100


def test_no_four_word_opening_is_common() -> None:
    openings = Counter(tuple(words(text)[:4]) for text in everything())
    assert openings.most_common(1)[0][1] <= 0.015 * len(everything())


def test_the_vocabulary_is_rich() -> None:
    assert len({word for text in everything() for word in words(text)}) > 3500


@pytest.mark.parametrize("skill", Skill)
def test_splits_share_no_utterance(skill: Skill) -> None:
    seen = [
        {said.text for episode in layout.read(skill, split) for said in episode.turns}
        for split in layout.SPLITS
    ]
    assert not (seen[0] & seen[1] or seen[0] & seen[2] or seen[1] & seen[2])


def test_no_topic_is_in_two_splits() -> None:
    seen = [{episode.topic for episode in layout.read(Skill.WOW, split)} for split in layout.SPLITS]
    assert not (seen[0] & seen[1] or seen[0] & seen[2] or seen[1] & seen[2])


def test_what_wizards_checked_stands_in_their_passage() -> None:
    for episode in dialogues(Skill.WOW):
        checked = {sentence for sentence in episode.knowledge if sentence}
        assert len(checked) >= 2 and checked <= set(episode.passage), episode.key


def test_every_topic_has_persona_sentences_of_the_list() -> None:
    lists = personas.read()
    assert {episode.topic for episode in dialogues(Skill.WOW)} == set(lists.sentences)
    assert set(lists.topics) <= set(lists.owners)


def test_personas_of_the_dialogues_are_in_the_list() -> None:
    listed = set(personas.read().personas)
    assert {episode.model_persona for episode in dialogues(Skill.CONVAI2)} <= listed
    assert {
        persona for each in dialogues(Skill.BST) for persona in (each.worker_persona, each.model_persona)
    } <= listed


def test_blended_dialogues_have_what_their_seed_brings() -> None:
    kinds = Counter((bool(each.topic), bool(each.situation)) for each in dialogues(Skill.BST))
    assert set(kinds) == {(True, False), (False, True), (False, False)}
    assert min(kinds.values()) >= 15


def test_every_empathetic_dialogue_has_an_emotion_and_a_situation() -> None:
    assert all(episode.emotion and episode.situation for episode in dialogues(Skill.ED))
    assert len({episode.emotion for episode in dialogues(Skill.ED)}) >= 25
