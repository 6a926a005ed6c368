"""Annotations that were made anywhere: what a file holds, and what is wrong with one."""

from __future__ import annotations

from pathlib import Path

import pytest

from analysis.reading.annotations_file import Annotations, read_annotations
from analysis.reading.csv_rows import FileRefused

HEAD = "annotator_id,unit_id,label"
LINES = ("ann,u1,yes", "ann,u2,no", "bob,u1,yes", "bob,u2,yes", "cat,u3,no")


@pytest.fixture
def read(tmp_path: Path):
    def written(*lines: str, head: str = HEAD) -> Annotations:
        path = tmp_path / "labels.csv"
        path.write_text("\n".join([head, *lines]) + "\n")
        return read_annotations(path)

    return written


def test_judgements_are_places_in_sorted_names(read) -> None:
    found = read(*LINES)
    assert found.annotators == ("ann", "bob", "cat") and found.units == ("u1", "u2", "u3")
    assert found.labels == ("no", "yes") and found.questions == ("",)
    assert found.annotator.tolist() == [0, 0, 1, 1, 2]
    assert found.label.tolist() == [1, 0, 1, 1, 0]
    assert (found.rows, found.blank, found.unused) == (5, 0, ())


def test_questions_and_further_columns_are_told(read) -> None:
    found = read("ann,u1,yes,tone,x", "ann,u1,3,skill,y", "", head=f"{HEAD},question,remark")
    assert found.questions == ("skill", "tone") and found.question.tolist() == [1, 0]
    assert (found.unused, found.blank) == (("remark",), 1)


def test_the_hash_knows_what_one_person_said_and_neither_names_nor_order(read) -> None:
    known = read(*LINES).sha256
    assert read(*reversed(LINES)).sha256 == known
    assert read(*(line.replace("ann", "zoe") for line in LINES)).sha256 == known
    # The same judgements, two of them given by the other one of two people.
    swapped = ("bob,u1,yes", "ann,u2,no", "ann,u1,yes", "bob,u2,yes", "cat,u3,no")
    assert read(*swapped).sha256 == known
    exchanged = ("ann,u1,yes", "bob,u2,no", "bob,u1,yes", "ann,u2,yes", "cat,u3,no")
    assert read(*exchanged).sha256 == known
    assert read(*LINES[:4], "ann,u3,no").sha256 != known
    assert read(*LINES[:4], "cat,u3,yes").sha256 != known


@pytest.mark.parametrize(
    ("lines", "fault"),
    [
        (["ann,u1,"], "line 2, label: empty; leave the line out where nothing was judged"),
        ([",u1,yes"], "line 2, annotator_id: empty"),
        ([], "line 1: no judgement stands below the first line"),
        (
            ["ann,u1,yes", "bob,u1,no", "ann,u1,no"],
            "line 4, unit_id: 'u1' was judged by 'ann' on line 2 already",
        ),
        ([f"ann,u{n},label {n}" for n in range(101)], "line 1, label: 101 different names"),
        (["ann,u1"], "line 2: 2 fields; the first line names 3 columns"),
    ],
)
def test_faults_are_named(read, lines: list[str], fault: str) -> None:
    with pytest.raises(FileRefused) as refused:
        read(*lines)
    assert fault in str(refused.value)


def test_a_column_that_is_missing_is_named(read) -> None:
    with pytest.raises(FileRefused, match="line 1, label: the column is missing"):
        read("ann,u1", head="annotator_id,unit_id")
