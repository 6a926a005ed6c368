"""What models are asked: listed and drawn candidates, mixed ones, added context, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from modelhub.benchmarks.candidates import TooFewLabels
from modelhub.benchmarks.tasks import Asked, LabelNotListed, Options, _listed, ask
from modelhub.datasets import layout, personas
from modelhub.datasets.episodes import Example, examples_of
from modelhub.datasets.errors import DatasetError, DatasetMissing
from modelhub.datasets.layout import STARTER
from modelhub.dialogue import Skill
from modelhub.polyencoder.tokens import context_lines

from .conftest import talk

SKILLS = (Skill.CONVAI2, Skill.WOW, Skill.ED)


def labels(skill: Skill) -> set[str]:
    return {example.label for example in examples_of(layout.read(skill, "test"))}


def convai2(folder: Path, *exchanges: str, split: str = "test") -> Path:
    """A data folder whose ConvAI2 file holds one dialogue of these lines, without their numbers."""
    file = folder / "convai2" / f"{split}.txt"
    file.parent.mkdir(parents=True, exist_ok=True)
    lines = ["your persona: I repair clocks.", *exchanges]
    file.write_text("".join(f"{number} {line}\n" for number, line in enumerate(lines, 1)))
    return folder


def contexts(asked: Asked) -> dict[str, list[str]]:
    return {q.example.dialogue.key: context_lines(q.example.dialogue) for q in asked.questions}


# --- Candidates ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("skill", "size"), [("convai2", 20), ("wow", 100), ("ed", 100), ("bst", 20)])
def test_without_listed_candidates_there_are_as_many_as_in_the_paper(skill: str, size: int) -> None:
    asked = ask(Skill(skill), STARTER, Options())
    assert {len(set(question.candidates)) for question in asked.questions} == {size}
    assert (asked.candidates_kind, asked.split) == ("random", "test")
    assert all(question.candidates[0] == question.example.label for question in asked.questions)
    assert len(asked.questions) == len(examples_of(layout.read(Skill(skill), "test")))


def test_the_files_own_candidates_are_taken_each_text_once(tmp_path: Path) -> None:
    folder = convai2(
        tmp_path,
        "Do they chime?\tOn the hour.\t\tNever.|On the hour.|Never.|My cat does.",
        "Loudly?\tAs loud as you like.\t\tOnly birds.|As loud as you like.",
    )
    asked = ask(Skill.CONVAI2, folder, Options())
    assert [question.candidates for question in asked.questions] == [
        ("On the hour.", "Never.", "My cat does."),
        ("As loud as you like.", "Only birds."),
    ]
    assert asked.candidates_kind == "listed"


def test_where_a_file_lists_candidates_for_some_the_rest_is_drawn(tmp_path: Path) -> None:
    exchanges = [f"Question {n}?\tAnswer {n}." for n in range(3)]
    folder = convai2(tmp_path, "Do they chime?\tOn the hour.\t\tNever.|On the hour.", *exchanges)
    other = [
        f"{n} {line}"
        for n, line in enumerate(["your persona: I swim.", *[f"Q{n}?\tA{n}." for n in range(5)]], 1)
    ]
    with (folder / "convai2" / "test.txt").open("a") as file:
        file.write("\n".join(other) + "\n")
    asked = ask(Skill.CONVAI2, folder, Options(candidates=4))
    assert asked.candidates_kind == "both"
    assert [len(question.candidates) for question in asked.questions][:2] == [2, 4]


def test_candidates_without_what_was_said_are_refused_by_file_and_place(tmp_path: Path) -> None:
    file = tmp_path / "ed" / "test.csv"
    file.parent.mkdir()
    head = "conv_id,utterance_idx,context,prompt,speaker_idx,utterance,selfeval,tags\n"
    file.write_text(
        head
        + "c1,1,proud,I won.,1,I won a pie contest!,,\n"
        + "c1,2,proud,I won.,2,Which pie was it?,,,Yes.|No.\n"
    )
    with pytest.raises(DatasetError, match=r"test\.csv.*not among its 2 "):
        ask(Skill.ED, tmp_path, Options())


def test_an_example_whose_candidates_lack_its_label_is_named_by_its_key() -> None:
    example = Example(talk("hello", key="ed/test/c1/1"), "Good.", Skill.ED, "c1", ("Bad.", "Worse."))
    with pytest.raises(
        LabelNotListed, match=r"^ed\.csv: ed/test/c1/1 .*not among its 2 listed candidates; correct"
    ):
        _listed(example, Path("ed.csv"))


def test_too_few_utterances_name_the_file_and_the_option(tmp_path: Path) -> None:
    folder = convai2(tmp_path, "Do they chime?\tOn the hour.")
    with pytest.raises(TooFewLabels, match=r"test\.txt: 1 different utterances.*--candidates"):
        ask(Skill.CONVAI2, folder, Options())


@pytest.mark.parametrize("skill", SKILLS)
def test_mixed_candidates_are_a_third_of_each_task(skill: Skill) -> None:
    pools = {each: labels(each) for each in SKILLS}
    plain = ask(skill, STARTER, Options(candidates=20))
    mixed = ask(skill, STARTER, Options(candidates=20, mixed_candidates=True))
    for own, question in zip(plain.questions, mixed.questions, strict=True):
        assert question.candidates[:20] == own.candidates
        assert len(set(question.candidates)) == 60
        for other in set(SKILLS) - {skill}:
            assert len([text for text in question.candidates[20:] if text in pools[other]]) == 20


def test_mixed_candidates_need_the_other_tasks_data(tmp_path: Path) -> None:
    exchanges = [f"Question {n}?\tAnswer {n}.\t\tAnswer {n}.|No." for n in range(3)]
    folder = convai2(tmp_path, *exchanges)
    with pytest.raises(DatasetMissing, match="has no test split of wow"):
        ask(Skill.CONVAI2, folder, Options(mixed_candidates=True))


# --- Contexts -----------------------------------------------------------------------------------------------------


def test_added_context_gives_every_dialogue_a_persona_and_a_topic() -> None:
    lists = personas.read()
    known = {sentence for persona in lists.personas for sentence in persona}
    for skill in SKILLS:
        plain, added = (
            contexts(ask(skill, STARTER, Options(candidates=5, added_context=each))) for each in (False, True)
        )
        assert plain.keys() == added.keys()
        for key, lines in added.items():
            own = [line.removeprefix("your persona: ") for line in lines if line.startswith("your persona: ")]
            assert own and (skill is Skill.CONVAI2 or set(own) <= known)
            assert lines[len(own)] in lists.sentences
            said = [line for line in plain[key] if not line.startswith("your persona: ")]
            assert lines[len(own) + 1 :] == (said[1:] if skill is Skill.WOW else said)


def test_without_it_contexts_are_the_files() -> None:
    for lines in contexts(ask(Skill.ED, STARTER, Options(candidates=5))).values():
        assert not any(line.startswith("your persona: ") for line in lines)


# --- Splits, bounds, hashes ---------------------------------------------------------------------------------------


def test_convai2_is_asked_on_valid_where_there_is_no_test(tmp_path: Path) -> None:
    folder = convai2(tmp_path, "Do they chime?\tOn the hour.\t\tNever.|On the hour.", split="valid")
    assert ask(Skill.CONVAI2, folder, Options()).split == "valid"
    with pytest.raises(DatasetMissing, match="no test split"):
        ask(Skill.CONVAI2, folder, Options(split="test"))


def test_a_bound_takes_whole_dialogues_and_keeps_their_candidates() -> None:
    whole, part = ask(Skill.ED, STARTER, Options()), ask(Skill.ED, STARTER, Options(max_examples=30))
    assert len(part.questions) == 30
    assert set(part.questions) < set(whole.questions)
    cut = [d for d in set(part.dialogues) if part.dialogues.count(d) != whole.dialogues.count(d)]
    assert len(cut) <= 1


def test_the_hash_tells_questions_apart() -> None:
    def sha(skill: Skill = Skill.ED, **options: object) -> str:
        return ask(skill, STARTER, Options(**{"candidates": 5, **options})).sha256

    same = sha()
    others = [
        sha(seed=8),
        sha(candidates=6),
        sha(mixed_candidates=True),
        sha(added_context=True),
        sha(max_examples=10),
        sha(split="valid"),
        sha(Skill.BST),
    ]
    assert sha() == same
    assert len({same, *others}) == len(others) + 1


def test_the_datas_hash_changes_with_the_files(tmp_path: Path) -> None:
    listed = "Do they chime?\tOn the hour.\t\tNever.|On the hour."
    one = ask(Skill.CONVAI2, convai2(tmp_path / "one", listed), Options())
    same = ask(Skill.CONVAI2, convai2(tmp_path / "same", listed), Options())
    added = "And?\tTick.\t\tTock.|Tick."
    other = ask(Skill.CONVAI2, convai2(tmp_path / "other", listed, added), Options(max_examples=1))
    assert one.data_sha256 == same.data_sha256 != other.data_sha256
    assert one.sha256 == same.sha256


def test_a_file_without_anything_to_ask_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "bst" / "test.json"
    file.parent.mkdir()
    entry = {
        "personas": [["I row."], ["I sing."]],
        "context_dataset": "convai2",
        "free_turker_utterance": "Hello.",
        "guided_turker_utterance": "Hi.",
        "additional_context": "",
        "dialog": [[0, "I row on Sundays."]],
        "label_candidates": [],
    }
    file.write_text(json.dumps([entry]))
    with pytest.raises(DatasetError, match=r"test\.json"):
        ask(Skill.BST, tmp_path, Options())
