"""Broken files: every fault is named by file and line, and refused, or skipped where the caller collects faults."""

from __future__ import annotations

import json
from collections.abc import Callable
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from modelhub.datasets import blended, convai2, empathetic, inventory, layout, personas, wizard
from modelhub.datasets.episodes import Episode
from modelhub.datasets.errors import DatasetError, DatasetMissing, EmptyFile, MalformedLine
from modelhub.datasets.text_files import Skipped
from modelhub.dialogue import Skill

HEADER = "conv_id,utterance_idx,context,prompt,speaker_idx,utterance,selfeval,tags\n"
WOW: dict[str, object] = {
    "chosen_topic": "Tea",
    "chosen_topic_passage": ["Tea is a drink."],
    "dialog": [
        {"speaker": "0_Apprentice", "text": "What is tea?"},
        {"speaker": "1_Wizard", "text": "A drink.", "checked_sentence": {"x": "Tea is a drink."}},
    ],
}
BST: dict[str, object] = {
    "personas": [["i ski.", "i cook."], ["i sing.", "i paint."]],
    "context_dataset": None,
    "free_turker_utterance": "Do you like tea?",
    "guided_turker_utterance": "Very much.",
    "additional_context": None,
    "dialog": [[0, "Which kind?"], [1, "Green."]],
    "label_candidates": None,
}
GOOD = "1 your persona: i fish.\n2 hi\thello\n"
READ = {
    Skill.CONVAI2: convai2.read,
    Skill.ED: empathetic.read,
    Skill.WOW: wizard.read,
    Skill.BST: blended.read,
}


@pytest.fixture
def written(tmp_path: Path) -> Callable[[str | bytes], Path]:
    def write(content: str | bytes) -> Path:
        path = tmp_path / "valid.data"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


def wow(**changed: object) -> dict[str, object]:
    return {**WOW, **changed}


def bst(**changed: object) -> dict[str, object]:
    return {**BST, **changed}


def wizard_says(**fields: object) -> dict[str, object]:
    return wow(dialog=[{"speaker": "0_Apprentice", "text": "Tea?"}, {"speaker": "1_Wizard", **fields}])


def faults(read: Callable[[Path, Skipped], list[Episode]], path: Path) -> tuple[list[Episode], list[tuple]]:
    """What is left, and where what was skipped stands."""
    skipped: Skipped = []
    episodes = read(path, skipped)
    assert all(fault.path == path for fault in skipped)
    return episodes, [(fault.at, fault.reason) for fault in skipped]


# --- Files of lines ---------------------------------------------------------------------------------------

CONVAI2_FAULTS = [
    ("1 hi\thello\n3 so\tyes\n4 and\tno\n", 2, "numbered 3 where 2 or 1 was expected"),
    ("1 hi\thello\n02 so\tyes\n", 2, "numbered 02 where 2 or 1 was expected"),
    ("1 hi\thello\nso it goes\n3 x\ty\n", 2, 'not of the form "NUMBER TEXT"'),
    ("1 hi\thello\n2 your persona: late.\n", 2, "a persona line after the dialogue began"),
    ("1 hi\n2 there\tyes\n", 2, "the line before has no label, so its dialogue should have ended"),
    ("1 hi\t \n2 so\tyes\n", 1, "an empty label"),
    ("1 \thello\n", 1, "an empty utterance"),
    ("1 hi\thello\t\tno|maybe\n", 1, "the label is not among its 2 candidates"),
    ("1 hi\thello\t\thello|no\tx\n", 1, "5 fields parted by tabs where 4 at most were expected"),
    (b"1 hi\thello\n2 \xff\tno\n3 so\tyes\n", 2, "not UTF-8 (invalid start byte at byte 2)"),
    ("1 your persona: i say nothing.\n", 1, "a dialogue without an utterance"),
]
ED_FAULTS = [
    ("c1,1,sad,I, was sad,3,hello,,\nc1,2,sad,x,4,oh,,\n", 2, "speaker_idx ' was sad'"),
    ("c1,1,sad,I, was, sad,3,hello,,\n", 2, "10 fields where 8 were expected: a comma must be _comma_"),
    ("c1,one,sad,x,3,hello,,\n", 2, "utterance_idx 'one' is not a number"),
    ("c1,2,sad,x,3,hello,,\nc1,3,sad,x,4,oh,,\n", 2, "utterance 2 where 1 was expected"),
    ("c1,1,sad,x,3,hello,,\nc1,3,sad,x,3,oh,,\n", 3, "utterance 3 where 2 was expected"),
    ("c1,1,sad,x,3,hello,,\nc1,2,sad,x,3, ,,\n", 3, "an empty utterance"),
    ("c1,1,sad,x,3,hello,,\nc1,2,sad,x\n", 3, "4 fields where 8 were expected"),
    ("c1,1,sad,x,3,hello,,\nc1,2,sad,x,4,oh,,,no|never\n", 3, "the label is not among its 2 candidates"),
    (b"c1,1,sad,\xe9,3,hello,,\nc1,2,sad,x,4,oh,,\n", 2, "not UTF-8"),
    ("garbage\n", 2, "1 fields where 8 were expected"),
]


@pytest.mark.parametrize(("content", "line", "reason"), CONVAI2_FAULTS)
def test_a_broken_convai2_dialogue_is_named_and_refused(written, content, line: int, reason: str) -> None:
    path = written(content)
    with pytest.raises(MalformedLine) as caught:
        convai2.read(path)
    assert (caught.value.at, caught.value.reason) == (line, reason)
    assert str(caught.value) == f"{path}:{line}: {reason}"


@pytest.mark.parametrize(("content", "line", "reason"), CONVAI2_FAULTS)
def test_a_broken_convai2_dialogue_is_skipped_whole_and_named_once(
    written, content, line: int, reason: str
) -> None:
    raw = content if isinstance(content, bytes) else content.encode()
    before = GOOD.encode()
    episodes, skipped = faults(convai2.read, written(before + raw + before))
    assert [len(episode.turns) for episode in episodes] == [2, 2]
    assert skipped == [(line + 2, reason)]


def test_a_file_that_begins_inside_a_dialogue_is_refused_or_loses_that_one(written) -> None:
    path = written("3 hi\thello\n4 so\tyes\n" + GOOD)
    with pytest.raises(MalformedLine, match=":1: numbered 3 where 1 was expected"):
        convai2.read(path)
    episodes, skipped = faults(convai2.read, path)
    assert [episode.model_persona for episode in episodes] == [("i fish.",)]
    assert [at for at, _ in skipped] == [1]


@pytest.mark.parametrize(("content", "line", "reason"), ED_FAULTS)
def test_a_broken_ed_conversation_is_named_and_refused(written, content, line: int, reason: str) -> None:
    raw = content if isinstance(content, bytes) else content.encode()
    with pytest.raises(MalformedLine) as caught:
        empathetic.read(written(HEADER.encode() + raw))
    assert caught.value.at == line and reason in caught.value.reason


@pytest.mark.parametrize(("content", "line", "reason"), ED_FAULTS)
def test_a_broken_ed_conversation_is_skipped_whole_and_named_once(
    written, content, line: int, reason: str
) -> None:
    raw = content if isinstance(content, bytes) else content.encode()
    first, last = (f"{key},1,sad,x,3,hello,,\n{key},2,sad,x,4,oh no,,\n".encode() for key in ("a", "b"))
    episodes, skipped = faults(empathetic.read, written(HEADER.encode() + first + raw + last))
    assert [episode.key for episode in episodes] == ["ed/valid/a", "ed/valid/b"]
    ((at, told),) = skipped
    assert at == line + 2 and reason in told


def test_an_ed_id_that_comes_again_is_refused_and_its_first_rows_stay(written) -> None:
    rows = "c1,1,sad,x,3,hello,,\nc1,2,sad,x,4,oh no,,\nc2,1,sad,x,3,hey,,\nc2,2,sad,x,4,ah,,\n"
    path = written(HEADER + rows + "c1,1,glad,y,5,again,,\nc1,2,glad,y,6,yes,,\n")
    with pytest.raises(MalformedLine, match=r":6: conversation c1 began at line 2; an id may come once"):
        empathetic.read(path)
    episodes, skipped = faults(empathetic.read, path)
    assert [episode.turns[0].text for episode in episodes] == ["hello", "hey"]
    assert [at for at, _ in skipped] == [6]


def test_a_stray_line_inside_an_ed_conversation_loses_only_itself(written) -> None:
    episodes, skipped = faults(
        empathetic.read, written(HEADER + "c1,1,sad,x,3,hello,,\nstray\nc1,2,sad,x,4,oh no,,\n")
    )
    assert [len(episode.turns) for episode in episodes] == [2]
    assert [at for at, _ in skipped] == [3]


# --- JSON -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("skill", "entry", "reason"),
    [
        (Skill.WOW, [WOW], "the entry is a list where an object was expected"),
        (Skill.WOW, {}, "dialog is missing or null where a list was expected"),
        (Skill.WOW, wow(dialog="hello"), "dialog is 'hello' where a list was expected"),
        (Skill.WOW, wow(dialog=[]), "a dialogue without an utterance"),
        (Skill.WOW, wow(dialog=["hello"]), "turn 1 is 'hello' where an object was expected"),
        (Skill.WOW, wizard_says(), "the text of turn 2 is missing or null where a text was expected"),
        (Skill.WOW, wizard_says(text=["x"]), "the text of turn 2 is a list where a text was expected"),
        (Skill.WOW, wizard_says(text="\ud83d"), "the text of turn 2 cannot be written as UTF-8"),
        (Skill.WOW, wizard_says(text="x", checked_sentence="y"), "checked_sentence of turn 2 is 'y'"),
        (
            Skill.WOW,
            wizard_says(text="x", candidate_responses=["y"]),
            "the label of turn 2 is not among its 1",
        ),
        (Skill.WOW, wow(chosen_topic=7), "chosen_topic is 7 where a text was expected"),
        (Skill.WOW, wow(chosen_topic_passage=[1]), "chosen_topic_passage 1 is 1 where a text was expected"),
        (Skill.WOW, wow(persona={"x": 1}), "persona is an object where a text was expected"),
        (Skill.BST, bst(personas=[["i ski."]]), "1 personas where 2 were expected"),
        (Skill.BST, bst(personas=["i ski.", "i sing."]), "the first persona is 'i ski.' where a list"),
        (Skill.BST, bst(dialog=[[2, "hi"]]), r"turn 1 is not [0 or 1, text]"),
        (Skill.BST, bst(dialog=[[True, "hi"]]), r"turn 1 is not [0 or 1, text]"),
        (Skill.BST, bst(dialog=[[0, "hi", "ho"]]), r"turn 1 is not [0 or 1, text]"),
        (Skill.BST, bst(dialog=[]), "a dialogue without an utterance"),
        (Skill.BST, bst(free_turker_utterance=None), "free_turker_utterance is missing or null"),
        (Skill.BST, bst(context_dataset="reddit"), "context_dataset is 'reddit', none of convai2"),
        (Skill.BST, bst(context_dataset=["convai2"]), "context_dataset is a list where a text"),
        (Skill.BST, bst(label_candidates=[]), "0 lists of candidates for 1 guided turns"),
        (Skill.BST, bst(label_candidates=[["Green."], ["x"]]), "2 lists of candidates for 1 guided turns"),
        (Skill.BST, bst(label_candidates=[["Red.", "Blue."]]), "the label 'Green.' is not among its 2"),
    ],
)
def test_a_broken_json_entry_is_named_by_line_and_refused_or_skipped(
    written, skill: Skill, entry: object, reason: str
) -> None:
    good = WOW if skill is Skill.WOW else BST
    path = written("[\n" + ",\n".join(json.dumps(each) for each in (good, entry, good)) + "\n]")
    with pytest.raises(MalformedLine) as caught:
        READ[skill](path)
    assert caught.value.at == 3
    assert caught.value.reason.startswith(f"entry 2: {reason}")
    episodes, skipped = faults(READ[skill], path)
    assert [episode.key[-2:] for episode in episodes] == ["/0", "/2"]
    assert [at for at, _ in skipped] == [3]


@pytest.mark.parametrize(
    ("content", "line", "reason"),
    [
        ('[\n{"chosen_topic": ', 2, "not JSON"),
        (f"[{json.dumps(WOW)},\n]", 2, "not JSON (Expecting value)"),
        (f"[{json.dumps(WOW)}\n{json.dumps(WOW)}]", 2, "not JSON (',' or ']' was expected)"),
        (f"[{json.dumps(WOW)}]\n]", 2, "not JSON (more after the end of the list)"),
        (json.dumps(WOW), 1, "not a JSON list of dialogues"),
        (b'[{"chosen_topic":\n"\xff"}]', 2, "not UTF-8 (invalid start byte at byte 19)"),
        ("[" * 200_000, 1, "entry 1: not usable JSON"),
        (f"[{'9' * 5000}]", 1, "entry 1: not usable JSON"),
    ],
)
@pytest.mark.parametrize("collects", [False, True])
def test_json_that_is_broken_as_a_whole_is_refused_even_where_faults_are_collected(
    written, content, line: int, reason: str, collects: bool
) -> None:
    with pytest.raises(MalformedLine) as caught:
        wizard.read(written(content), [] if collects else None)
    assert caught.value.at == line and caught.value.reason.startswith(reason)


# --- Empty files and missing ones -------------------------------------------------------------------------


@pytest.mark.parametrize("skill", Skill)
@pytest.mark.parametrize("content", ["", "\n\n", "[]"])
def test_an_empty_file_is_refused(written, skill: Skill, content: str) -> None:
    path = written(content)
    with pytest.raises(DatasetError, match=str(path)):
        READ[skill](path)


def test_a_header_alone_is_an_empty_file(written) -> None:
    with pytest.raises(EmptyFile, match="holds nothing that can be used; fetch it again"):
        empathetic.read(written(HEADER))


def test_a_file_of_which_nothing_is_left_is_refused_with_its_first_fault(written) -> None:
    with pytest.raises(EmptyFile, match="the first of 2 faults is at line 1"):
        convai2.read(written("1 hi\t \n1 hi\t \n"), [])


@pytest.mark.parametrize("skill", Skill)
def test_a_folder_where_a_file_should_be_is_missing_data(tmp_path: Path, skill: Skill) -> None:
    (tmp_path / layout.LAYOUTS[skill].folders[0] / "train.txt").mkdir(parents=True)
    with pytest.raises(DatasetMissing):
        layout.read(skill, "train", tmp_path)


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=f"{tmp_path} cannot be read"):
        convai2.read(tmp_path)


def test_a_split_is_read_without_its_malformed_dialogues(tmp_path: Path) -> None:
    (tmp_path / "convai2").mkdir()
    (tmp_path / "convai2" / "train.txt").write_text("1 hi\thello\n1 hey\t \n")
    skipped: Skipped = []
    assert len(layout.read(Skill.CONVAI2, "train", tmp_path, skipped)) == 1
    assert [fault.at for fault in skipped] == [2]


# --- Lists of personas and topics -------------------------------------------------------------------------


def test_a_persona_with_a_malformed_sentence_is_refused_or_skipped_whole(written) -> None:
    path = written(
        b"your persona: i ski.\n||your persona: i sing.\nI paint.\n||your persona: \xff\n||your persona: i sew.\n"
    )
    with pytest.raises(MalformedLine, match=":3: not of the form"):
        personas.read_personas(path)
    skipped: Skipped = []
    assert personas.read_personas(path, skipped) == (("i ski.",), ("i sew.",))
    assert [fault.at for fault in skipped] == [3, 4]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("Tea: ['i like coffee.']", "the topic 'Tea' comes twice"),
        ("Milk", "not of the form"),
        ("Milk: ['']", "not of the form"),
        ("Milk: [{'x': 1}]", "not of the form"),
        ("Milk: [" + "[" * 5000, "not of the form"),
    ],
)
def test_a_malformed_topic_is_refused_or_skipped(written, line: str, reason: str) -> None:
    path = written(f"Tea: ['i like tea.']\n{line}\n")
    with pytest.raises(MalformedLine, match=f":2: {reason}"):
        personas.read_topics(path)
    skipped: Skipped = []
    assert personas.read_topics(path, skipped) == {"Tea": ("i like tea.",)}
    assert [fault.at for fault in skipped] == [2]


def test_a_safe_persona_with_an_empty_sentence_is_refused_or_skipped(written) -> None:
    path = written("I ski|I cook\nI sing||I paint\n")
    with pytest.raises(MalformedLine, match=":2: an empty sentence between bars"):
        personas.read_safe(path)
    assert personas.read_safe(path, []) == (("I ski", "I cook"),)


# --- The command ------------------------------------------------------------------------------------------


def checked(folder: Path) -> tuple[list[str], str]:
    """What ``check_data`` prints, and what it ends with."""
    out = StringIO()
    try:
        call_command("check_data", data=folder, stdout=out)
    except CommandError as error:
        return out.getvalue().splitlines(), str(error)
    return out.getvalue().splitlines(), ""


def test_check_data_counts_the_corpus(tmp_path: Path) -> None:
    printed, error = checked(layout.STARTER)
    assert not error and len(printed) == 14
    assert printed[0].startswith("convai2 train: 70 in train.txt, ")


def test_check_data_names_every_malformed_line_and_fails(tmp_path: Path) -> None:
    (tmp_path / "convai2").mkdir()
    path = tmp_path / "convai2" / "train.txt"
    path.write_text("1 hi\thello\n" + "1 hey\t \n" * (inventory.SHOWN_FAULTS + 3))
    (tmp_path / "convai2" / "valid.txt").write_text("")
    printed, error = checked(tmp_path)
    assert printed[0] == "convai2 train: 1 in train.txt, 1 examples (1 of both sides)"
    assert printed[1] == f"  {path}:2: an empty label"
    assert printed[-2] == "  and 3 more malformed lines"
    assert printed[-1].startswith("convai2 valid: refused, ")
    assert error.startswith("2 files have malformed lines")


def test_check_data_says_where_there_is_nothing(tmp_path: Path) -> None:
    assert checked(tmp_path)[1].startswith(f"{tmp_path} holds no data set; fetch one with fetch_data")
