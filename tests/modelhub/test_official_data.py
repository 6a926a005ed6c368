"""The readers on real official files: their sizes, and the examples that ParlAI builds from them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml

from modelhub.datasets import layout, parlai_text, personas, wizard
from modelhub.datasets.episodes import Episode, examples, examples_of, seen_from_the_other_side
from modelhub.dialogue import Skill
from modelhub.polyencoder.tokens import context_lines

# --- Sizes ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("skill", "split", "dialogues", "utterances", "one_side"),
    [
        (Skill.ED, "train", 19_532, 84_165, 40_252),
        (Skill.ED, "valid", 2_770, 12_078, 5_738),
        (Skill.ED, "test", 2_547, 10_973, 5_259),
        (Skill.CONVAI2, "train", 967, 2 * 7_504, 7_504),
        (Skill.CONVAI2, "valid", 1_000, 2 * 7_801, 7_801),
        (Skill.BST, "valid", 1_009, 11_467, 5_651),
        (Skill.BST, "test", 980, 11_154, 5_482),
    ],
)
def test_official_files_have_the_sizes_that_are_known(
    reference_data: Path, skill: Skill, split: str, dialogues: int, utterances: int, one_side: int
) -> None:
    episodes = layout.read(skill, split, reference_data)
    assert len(episodes) == len({episode.key for episode in episodes}) == dialogues
    assert sum(len(episode.turns) for episode in episodes) == utterances
    assert len(examples_of(episodes)) == one_side
    assert sum(1 for episode in episodes for _ in parlai_text.official_examples(episode)) == one_side


def test_ed_has_its_published_sizes(reference_data: Path) -> None:
    train, valid, test = (layout.read(Skill.ED, split, reference_data) for split in layout.SPLITS)
    sides = [side for each in train for side in (each, seen_from_the_other_side(each))]
    # Published are 39,057 episodes and 64,636 examples; one conversation of four utterances is missing here.
    assert sum(bool(parlai_text.acts(side)) for side in sides) == 39_057 - 2
    assert sum(len(parlai_text.acts(side)) for side in sides) == 64_636 - 3
    # Valid has a conversation of a single utterance, which no published size counts.
    assert [sum(bool(parlai_text.acts(each)) for each in split) for split in (valid, test)] == [2_769, 2_547]


def test_wizard_dialogues_have_the_sizes_that_parlai_counts(reference_data: Path) -> None:
    episodes = wizard.read(reference_data / "wizard_of_wikipedia" / "sample.json")
    assert [len(episode.turns) for episode in episodes] == [10, 8, 10, 10, 10]
    assert [len(list(examples(episode))) for episode in episodes] == [5, 4, 5, 5, 5]
    # A wizard begins the first dialogue.
    assert [len(parlai_text.acts(episode)) for episode in episodes] == [4, 4, 5, 5, 5]


def test_wizards_check_sentences_that_were_shown(reference_data: Path) -> None:
    episodes = wizard.read(reference_data / "wizard_of_wikipedia" / "sample.json")
    assert all(any(episode.knowledge) for episode in episodes)


def test_persona_and_topic_lists_have_the_sizes_that_are_known(reference_data: Path) -> None:
    lists = personas.read(reference_data)
    assert (len(lists.personas), len(lists.sentences)) == (17_878, 1_469)
    folder = reference_data / "blended_skill_talk"
    assert len(personas.read_safe(folder / "safe_personas.txt")) == 16_434


def test_nearly_every_persona_sentence_is_found_in_the_list_of_safe_ones(reference_data: Path) -> None:
    """The lists spell sentences differently, so a comparison letter by letter would find none."""
    lists = personas.read(reference_data)
    sentences = {sentence for persona in lists.personas for sentence in persona}
    unsafe = {sentence for sentence in sentences if not lists.is_safe(sentence)}
    assert (len(sentences), len(unsafe)) == (6_126, 319)
    assert {"i am obese.", "i'm obese.", "my wife just left me."} <= unsafe


# --- Texts and labels -------------------------------------------------------------------------------------

#: ParlAI's example files, and how many of their examples come from dialogues that are at hand.
COMPARED = {
    "empathetic_dialogues_train": 5,
    "empathetic_dialogues_valid": 5,
    "empathetic_dialogues_test": 5,
    "convai2_valid": 5,
    "wizard_of_wikipedia_wizard_dialog_knowledge_train": 5,
    "blended_skill_talk_valid": 5,
    "blended_skill_talk_test": 5,
}
#: Their dialogues are not at hand.
WITHOUT_SOURCE = {
    "convai2_train",
    "blended_skill_talk_train",
    "wizard_of_wikipedia_wizard_dialog_knowledge_valid",
    "wizard_of_wikipedia_wizard_dialog_knowledge_test",
}
SKILLS = {"empathetic": Skill.ED, "convai2": Skill.CONVAI2, "blended": Skill.BST, "wizard": Skill.WOW}


def golden(reference_data: Path, name: str) -> list[dict[str, Any]]:
    with (reference_data / "parlai_examples" / f"{name}.yml").open() as file:
        return [act for episode in yaml.safe_load(file)["acts"] for act in episode]


def dialogues(acts: Iterable[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    """Acts of one dialogue each; the last one may be cut off."""
    found: list[dict[str, Any]] = []
    for act in acts:
        found.append(act)
        if act["episode_done"]:
            yield found
            found = []
    if found:
        yield found


def sources(reference_data: Path, name: str) -> Iterator[Episode]:
    """The dialogues that an example file was made from; of ED's train both sides, as ParlAI has them."""
    skill = SKILLS[name.partition("_")[0]]
    if skill is Skill.WOW:
        yield from wizard.read(reference_data / "wizard_of_wikipedia" / "sample.json")
        return
    for episode in layout.read(skill, name.rpartition("_")[2], reference_data):
        yield episode
        if name == "empathetic_dialogues_train":
            yield seen_from_the_other_side(episode)


def given(act: dict[str, Any]) -> tuple[str, str]:
    """Where a dialogue is looked for: the last line of its first text, and the first label."""
    (label,) = act.get("labels") or act["eval_labels"]
    return act["text"].split("\n")[-1].strip(), label


def completed(episode: Episode, first: dict[str, Any]) -> Episode:
    """BST's files here lack the topics of WoW seeds; the example has it after two persona lines."""
    if first.get("context_dataset") != "wizard_of_wikipedia":
        return episode
    return replace(episode, topic=first["text"].split("\n")[2])


def test_every_example_file_is_compared_or_known_to_have_no_source(reference_data: Path) -> None:
    files = {path.stem for path in (reference_data / "parlai_examples").glob("*.yml")}
    assert files == COMPARED.keys() | WITHOUT_SOURCE
    assert sum(COMPARED.values()) == 35


@pytest.mark.parametrize("name", COMPARED)
def test_texts_and_labels_are_those_that_parlai_builds(reference_data: Path, name: str) -> None:
    ours: dict[tuple[str, str], list[Episode]] = {}
    for episode in sources(reference_data, name):
        for act in parlai_text.acts(episode)[:1]:
            ours.setdefault((act.text.split("\n")[-1].strip(), act.label), []).append(episode)
    compared = 0
    for expected in dialogues(golden(reference_data, name)):
        (episode,) = ours[given(expected[0])]
        built = parlai_text.acts(completed(episode, expected[0]))
        for act, wanted in zip(built, expected, strict=False):
            # ED's files here have lost outer white space.
            text = wanted["text"].strip() if episode.source is Skill.ED else wanted["text"]
            (label,) = wanted.get("labels") or wanted["eval_labels"]
            assert (act.text, act.label, act.episode_done) == (text, label, wanted["episode_done"])
            assert wanted.get("emotion", episode.emotion) == episode.emotion
            assert wanted.get("situation", episode.situation).strip() == episode.situation
            assert wanted.get("chosen_topic", "") == (episode.topic if episode.source is Skill.WOW else "")
            compared += 1
    assert compared == COMPARED[name], f"only {compared} of {COMPARED[name]} examples were compared"


def test_sentences_that_wizards_checked_are_those_that_parlai_names(reference_data: Path) -> None:
    name = "wizard_of_wikipedia_wizard_dialog_knowledge_train"
    checked = {
        example.label: episode.knowledge[len(example.dialogue.utterances)]
        for episode in sources(reference_data, name)
        for example in examples(episode)
    }
    for act in golden(reference_data, name):
        assert checked[act["labels"][0]] == act["checked_sentence"]


@pytest.mark.parametrize("skill", [Skill.ED, Skill.CONVAI2, Skill.BST])
def test_models_read_what_parlai_shows(reference_data: Path, skill: Skill) -> None:
    """What our encoders are given is ParlAI's history; a situation stands in neither."""
    for episode in layout.read(skill, "valid", reference_data):
        for example in examples(episode):
            assert parlai_text.history(example) == "\n".join(context_lines(example.dialogue))


def test_texts_and_labels_add_up_to_the_history(reference_data: Path) -> None:
    for episode in wizard.read(reference_data / "wizard_of_wikipedia" / "sample.json"):
        built = list(parlai_text.official_examples(episode))
        shown = [parlai_text.text(built[0])]
        for earlier, example in pairwise(built):
            shown += [parlai_text.label(earlier), parlai_text.text(example)]
            assert parlai_text.history(example) == "\n".join(shown)
