"""Readers of the official files: what they take, and how they name what they refuse."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from modelhub.datasets import blended, convai2, empathetic, layout, parlai_text, personas, wizard
from modelhub.datasets.episodes import examples, seen_from_the_other_side
from modelhub.datasets.errors import DatasetMissing, MalformedLine
from modelhub.dialogue import Skill, Speaker

ED_HEADER = "conv_id,utterance_idx,context,prompt,speaker_idx,utterance,selfeval,tags\n"


def written(folder: Path, name: str, text: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


# --- ConvAI2 ----------------------------------------------------------------------------------------------


def test_convai2_numbers_that_restart_begin_a_dialogue(tmp_path: Path) -> None:
    text = "1 your persona: i fish.\n2 hi\thello\n3 how are you\tfine\n1 your persona: i run.\n2 hey\tyo\n"
    first, second = convai2.read(written(tmp_path, "train.txt", text))
    assert first.model_persona == ("i fish.",) and second.model_persona == ("i run.",)
    assert [turn.text for turn in first.turns] == ["hi", "hello", "how are you", "fine"]
    assert first.turns[1].speaker is Speaker.MODEL


def test_convai2_keeps_a_last_utterance_without_a_label(tmp_path: Path) -> None:
    (episode,) = convai2.read(written(tmp_path, "train.txt", "1 hi\thello\n2 bye\n"))
    assert [turn.text for turn in episode.turns] == ["hi", "hello", "bye"]
    assert [example.label for example in examples(episode)] == ["hello"]


def test_convai2_reads_the_candidates_of_an_official_line(tmp_path: Path) -> None:
    (episode,) = convai2.read(written(tmp_path, "valid.txt", "1 hi\thello\t\tno|maybe|hello\n"))
    assert next(iter(examples(episode))).candidates == ("no", "maybe", "hello")


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ("1 hi\thello\n3 what\tno\n", 2, "numbered 3"),
        ("hi\thello\n", 1, "NUMBER TEXT"),
        ("1 hi\thello\n2 your persona: late.\n", 2, "after the dialogue began"),
        ("1 hi\n2 there\tyes\n", 2, "has no label"),
        ("1 hi\t \n", 1, "an empty label"),
        ("1 hi\thello\t\tno|maybe\n", 1, "not among its 2 candidates"),
        (b"1 hi\thello\n2 \xff\tno\n", 2, "not UTF-8"),
    ],
)
def test_convai2_names_the_line_that_is_malformed(
    tmp_path: Path, text: str | bytes, line: int, reason: str
) -> None:
    path = written(tmp_path, "train.txt", text)
    with pytest.raises(MalformedLine, match=reason) as caught:
        convai2.read(path)
    assert (caught.value.path, caught.value.at) == (path, line)


# --- EmpatheticDialogues ----------------------------------------------------------------------------------


def test_ed_commas_and_pipes_are_restored(tmp_path: Path) -> None:
    rows = "c1,1,sad,My cat_comma_ gone.,3,She left_comma_ today_pipe_now,,\nc1,2,sad,x,4,Oh no,,\n"
    (episode,) = empathetic.read(written(tmp_path, "train.csv", ED_HEADER + rows))
    assert episode.situation == "My cat, gone."
    assert episode.turns[0].text == "She left, today|now"
    assert [turn.speaker for turn in episode.turns] == [Speaker.WORKER, Speaker.MODEL]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("c1,1,sad,I, was sad,3,hello,,\n", "a comma must be _comma_"),
        ("c1,one,sad,x,3,hello,,\n", "not a number"),
        ("c1,2,sad,x,3,hello,,\n", "utterance 2 where 1"),
        ("c1,1,sad,x,3, ,,\n", "empty utterance"),
        ("c1,1,sad,x,3\n", "5 fields where 8"),
    ],
)
def test_ed_names_the_line_that_is_malformed(tmp_path: Path, row: str, reason: str) -> None:
    rows = "c0,1,sad,x,3,hello,,\n"
    with pytest.raises(MalformedLine, match=reason) as caught:
        empathetic.read(written(tmp_path, "train.csv", ED_HEADER + rows + row))
    assert caught.value.at == 3


def test_ed_reads_the_candidates_of_an_official_line(tmp_path: Path) -> None:
    rows = "c1,1,sad,x,3,hello,,,\nc1,2,sad,x,4,Oh no,,,Oh no|Well_comma_ well\n"
    (episode,) = empathetic.read(written(tmp_path, "valid.csv", ED_HEADER + rows))
    assert next(iter(examples(episode))).candidates == ("Oh no", "Well, well")


def test_ed_labels_are_shown_without_outer_white_space_and_texts_as_they_are(tmp_path: Path) -> None:
    rows = "c1,1,sad,x,3,hello ,,\nc1,2,sad,x,4, Oh no ,,\nc1,3,sad,x,3,yes,,\n"
    (episode,) = empathetic.read(written(tmp_path, "train.csv", ED_HEADER + rows))
    (act,) = parlai_text.acts(episode)
    assert (act.text, act.label) == ("hello ", "Oh no")
    # From the other side, what the listener said comes first.
    (other,) = examples(seen_from_the_other_side(episode))
    assert (parlai_text.text(other), parlai_text.label(other)) == (" Oh no ", "yes")
    assert parlai_text.history(other) == " Oh no "


# --- Wizard of Wikipedia and BlendedSkillTalk --------------------------------------------------------------


def wow_entry(**changed: object) -> dict[str, object]:
    entry: dict[str, object] = {
        "chosen_topic": "Tea",
        "persona": "i like tea.",
        "chosen_topic_passage": ["Tea is a drink."],
        "dialog": [
            {"speaker": "0_Apprentice", "text": "What is tea?"},
            {
                "speaker": "1_Wizard",
                "text": "A drink.",
                "checked_sentence": {"chosen_Tea_0": "Tea is a drink."},
            },
            {"speaker": "0_Apprentice", "text": "I see."},
            {
                "speaker": "1_Wizard",
                "text": "Cheers.",
                "checked_sentence": {"no_passages_used": "no_passages_used"},
            },
        ],
    }
    return {**entry, **changed}


def test_wow_knows_who_the_wizard_is_and_what_was_checked(tmp_path: Path) -> None:
    (episode,) = wizard.read(written(tmp_path, "train.json", json.dumps([wow_entry()])))
    assert [turn.speaker for turn in episode.turns][:2] == [Speaker.WORKER, Speaker.MODEL]
    assert episode.knowledge == ("", "Tea is a drink.", "", "")
    assert episode.worker_persona == ("i like tea.",) and episode.topic == "Tea"


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        ({"chosen_topic": "Tea"}, "dialog is missing or null where a list was expected"),
        (wow_entry(dialog=[{"speaker": "Nobody", "text": "x"}]), "unknown speaker 'Nobody' of turn 1"),
        ([1], "the entry is a list where an object was expected"),
    ],
)
def test_wow_names_the_entry_that_is_malformed(tmp_path: Path, entry: object, reason: str) -> None:
    path = written(tmp_path, "train.json", json.dumps([wow_entry(), entry]))
    with pytest.raises(MalformedLine, match=f"train.json:1: entry 2: {reason}"):
        wizard.read(path)


def test_json_that_is_cut_off_is_named_by_line(tmp_path: Path) -> None:
    with pytest.raises(MalformedLine, match=r"train.json:2: not JSON"):
        wizard.read(written(tmp_path, "train.json", '[\n{"chosen_topic": '))


def bst_entry(**changed: object) -> dict[str, object]:
    entry: dict[str, object] = {
        "personas": [["i ski.", "i cook."], ["i sing.", "i paint."]],
        "context_dataset": "wizard_of_wikipedia",
        "free_turker_utterance": "Do you like tea?",
        "guided_turker_utterance": "Very much.",
        "additional_context": "Tea",
        "dialog": [[0, "Which kind?"], [1, "Green."], [0, "Me too."], [1, "Good."]],
        "label_candidates": [["Green.", "Red."], ["Good.", "Bad."]],
    }
    return {**entry, **changed}


def test_bst_shows_the_topic_only_where_the_seed_is_from_wow(tmp_path: Path) -> None:
    from_ed = bst_entry(context_dataset="empathetic_dialogues", additional_context="I was sad.")
    first, second = blended.read(written(tmp_path, "train.json", json.dumps([bst_entry(), from_ed])))
    assert (first.topic, first.situation) == ("Tea", "")
    assert (second.topic, second.situation) == ("", "I was sad.")


def test_bst_gives_guided_turns_their_candidates(tmp_path: Path) -> None:
    (episode,) = blended.read(written(tmp_path, "valid.json", json.dumps([bst_entry()])))
    assert [example.candidates for example in examples(episode)] == [("Green.", "Red."), ("Good.", "Bad.")]


def test_wow_reads_the_candidates_that_official_valid_and_test_files_list(tmp_path: Path) -> None:
    turns = [
        {"speaker": "0_Apprentice", "text": "Tea?"},
        {"speaker": "1_Wizard", "text": "Gladly. ", "candidate_responses": ["Gladly.", "Never."]},
    ]
    (episode,) = wizard.read(written(tmp_path, "valid.json", json.dumps([wow_entry(dialog=turns)])))
    # As it was said: files differ in outer white space.
    assert [example.candidates for example in examples(episode)] == [("Gladly. ", "Never.")]


def test_bst_with_an_unknown_seed_source_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MalformedLine, match="entry 1: context_dataset is 'reddit'"):
        blended.read(written(tmp_path, "train.json", json.dumps([bst_entry(context_dataset="reddit")])))


def test_a_file_of_many_entries_is_read_whatever_white_space_parts_them(tmp_path: Path) -> None:
    entries = [json.dumps(wow_entry(chosen_topic=f"Tea {n}"), indent=n) for n in range(3)]
    path = written(tmp_path, "train.json", " [\n" + "\t,\r\n".join(entries) + "\n] \n")
    assert [episode.topic for episode in wizard.read(path)] == ["Tea 0", "Tea 1", "Tea 2"]


# --- Personas, examples, folders --------------------------------------------------------------------------


def test_personas_are_parted_by_bars(tmp_path: Path) -> None:
    text = "your persona: i ski.\nyour persona: i cook.\n||your persona: i sing.\n||"
    assert personas.read_personas(written(tmp_path, "p.txt", text)) == (("i ski.", "i cook."), ("i sing.",))


def test_topics_may_hold_colons(tmp_path: Path) -> None:
    path = written(tmp_path, "t.txt", "Alien: The Film: ['i like films.', \"i don't sleep.\"]\n")
    assert personas.read_topics(path) == {"Alien: The Film": ("i like films.", "i don't sleep.")}


@pytest.mark.parametrize("line", ["Tea", "Tea: []", "Tea: [1]", "Tea: ['x'", "Tea: [__import__('os')]"])
def test_a_malformed_topic_is_refused(tmp_path: Path, line: str) -> None:
    with pytest.raises(MalformedLine, match=r"t.txt:1"):
        personas.read_topics(written(tmp_path, "t.txt", line + "\n"))


def test_from_the_other_side_the_worker_answers(tmp_path: Path) -> None:
    (episode,) = blended.read(written(tmp_path, "train.json", json.dumps([bst_entry()])))
    found = [example for example in examples(seen_from_the_other_side(episode))]
    assert [example.label for example in found] == ["Which kind?", "Me too."]
    assert found[0].dialogue.context.model_persona == ("i ski.", "i cook.")


def test_a_first_utterance_is_no_example_unless_a_topic_stands_before_it(tmp_path: Path) -> None:
    opened = wow_entry(dialog=[{"speaker": "0_Wizard", "text": "Tea, then."}])
    (episode,) = wizard.read(written(tmp_path, "train.json", json.dumps([opened])))
    assert [example.label for example in examples(episode)] == ["Tea, then."]
    (chat,) = convai2.read(written(tmp_path, "train.txt", "1 hi\thello\n"))
    assert not list(examples(seen_from_the_other_side(chat)))


def test_nobody_is_asked_to_answer_with_nothing(tmp_path: Path) -> None:
    turns = [[0, "Tea?"], [1, " "], [0, "Hello?"], [1, "Yes."]]
    entry = bst_entry(dialog=turns, label_candidates=None)
    (episode,) = blended.read(written(tmp_path, "train.json", json.dumps([entry])))
    assert [turn.text for turn in episode.turns] == ["Tea?", " ", "Hello?", "Yes."]
    assert [example.label for example in examples(episode)] == ["Yes."]


def test_a_missing_data_set_is_named_with_the_places_where_it_may_lie(tmp_path: Path) -> None:
    with pytest.raises(DatasetMissing, match=r"empatheticdialogues/train\.csv"):
        layout.read(Skill.ED, "train", tmp_path)
