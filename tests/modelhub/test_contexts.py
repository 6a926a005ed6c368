"""Contexts of talks and the debiasing of training dialogues, on the starter corpus."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from pathlib import Path

import pytest

from modelhub.datasets import layout, personas
from modelhub.datasets.contexts import draw_contexts, seed_skills
from modelhub.datasets.errors import DatasetError, DatasetMissing
from modelhub.dialogue import Context, Skill, Speaker


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


# --- From what is installed -------------------------------------------------------------------------------


@pytest.fixture
def installed(reference_data: Path, tmp_path: Path) -> Path:
    """The real files as a site may have them; of WoW the sample, as if it were its valid split."""
    for name in ("convai2", "empatheticdialogues", "blended_skill_talk"):
        (tmp_path / name).symlink_to(reference_data / name)
    (tmp_path / "wow").mkdir()
    (tmp_path / "wow" / "valid.json").symlink_to(reference_data / "wizard_of_wikipedia" / "sample.json")
    return tmp_path


def test_real_contexts_show_two_safe_sentences_of_each_side(installed: Path) -> None:
    lists = personas.read(installed)
    found = draw_contexts(300, seed=3, folder=installed)
    assert {context.source for context in found} == {Skill.CONVAI2, Skill.ED, Skill.WOW}
    for context in found:
        for persona in (context.worker_persona, context.model_persona):
            assert len(set(persona)) == 2
            assert all(lists.is_safe(sentence) for sentence in persona)
        assert not set(context.worker_persona) & set(context.model_persona)


def test_without_a_list_of_safe_personas_unsafe_ones_are_drawn_too(installed: Path) -> None:
    """So the test above can fail."""
    lists = personas.read(installed)
    official = installed / "blended_skill_talk"
    files = {name: official.resolve() / name for name in (personas.PERSONAS, personas.TOPICS)}
    official.unlink()
    official.mkdir()
    for name, path in files.items():
        (official / name).symlink_to(path)
    found = draw_contexts(300, seed=3, folder=installed)
    shown = {sentence for context in found for sentence in (*context.worker_persona, *context.model_persona)}
    assert any(not lists.is_safe(sentence) for sentence in shown)


def test_real_wow_seeds_come_with_a_topic_that_a_persona_matches(installed: Path) -> None:
    sentences = personas.read(installed).sentences
    said = {
        (first, second): episode.topic
        for episode in layout.read(Skill.WOW, "valid", installed)
        for first, second in pairwise(episode.turns)
    }
    topics = set()
    for context in draw_contexts(300, seed=3, folder=installed):
        if context.source is Skill.WOW:
            topics.add(context.topic)
            assert said[context.seeds] == context.topic
            assert set(sentences[context.topic]) & {*context.worker_persona, *context.model_persona}
    assert len(topics) > 2


def test_seeds_come_from_the_data_sets_that_are_installed(reference_data: Path) -> None:
    # Of WoW only a sample is there, under no name that a split has.
    assert seed_skills(reference_data) == (Skill.CONVAI2, Skill.ED)
    found = draw_contexts(60, seed=1, folder=reference_data)
    assert Counter(context.source for context in found).keys() == {Skill.CONVAI2, Skill.ED}


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """A folder with two personas, a ConvAI2 split, and a list of safe sentences spelt otherwise."""
    (tmp_path / "convai2").mkdir()
    (tmp_path / "convai2" / "valid.txt").write_text(
        "1 your persona: i've a boat.\n2 your persona: i sail.\n3 your persona: i bite.\n4 hi\thello\n"
    )
    (tmp_path / "persona_list.txt").write_text(
        "your persona: i have a boat.\nyour persona: i sail.\n"
        "||your persona: i m tall.\nyour persona: i don t sing.\n||"
    )
    (tmp_path / "topic_to_persona_list.txt").write_text("Sailing: ['i sail.']\n")
    (tmp_path / "safe_personas.txt").write_text("I have a boat|I sail !\nI'm tall|I do not sing\n")
    return tmp_path


def test_sentences_are_compared_with_the_safe_list_by_their_words(own: Path) -> None:
    for context in draw_contexts(20, seed=1, folder=own):
        assert set(context.model_persona) == {"i've a boat.", "i sail."}
        assert set(context.worker_persona) in ({"i m tall.", "i don t sing."}, {"i have a boat.", "i sail."})


def test_a_dialogues_own_persona_that_is_not_safe_gives_way_to_a_drawn_one(own: Path) -> None:
    (own / "safe_personas.txt").write_text("I have a boat\nI'm tall|I do not sing\nI like tea|I sew\n")
    (own / "persona_list.txt").write_text(
        "your persona: i m tall.\nyour persona: i don t sing.\n||your persona: i like tea.\nyour persona: i sew.\n"
    )
    drawn = {frozenset(context.model_persona) for context in draw_contexts(20, seed=1, folder=own)}
    assert drawn == {frozenset({"i m tall.", "i don t sing."}), frozenset({"i like tea.", "i sew."})}


def test_personas_that_all_share_a_sentence_are_refused(own: Path) -> None:
    (own / "persona_list.txt").write_text("your persona: i sail.\nyour persona: i m tall.\n")
    (own / "safe_personas.txt").unlink()
    with pytest.raises(DatasetError, match="1 personas are too few"):
        draw_contexts(1, seed=1, folder=own)


def test_a_list_of_safe_personas_that_leaves_none_is_refused(own: Path) -> None:
    (own / "safe_personas.txt").write_text("I like tea\n")
    with pytest.raises(DatasetError, match="has 2 sentences that may be shown"):
        draw_contexts(1, seed=1, folder=own)


def test_topics_that_belong_to_no_persona_are_refused(own: Path) -> None:
    (own / "wow").mkdir()
    (own / "wow" / "valid.json").write_text((layout.STARTER / "wow" / "valid.json").read_text())
    with pytest.raises(DatasetError, match="can be drawn for wow"):
        draw_contexts(1, seed=1, folder=own)
