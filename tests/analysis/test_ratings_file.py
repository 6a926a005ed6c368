"""Ratings from files: what is taken, and how every fault is named."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from analysis.reading.csv_rows import FileRefused, UnreadableFile
from analysis.reading.ratings_file import RatingsFile, read_ratings
from analysis.statistics.covariates import Factor, Number
from analysis.statistics.means import PAPER_SCALE, Scale
from tests.analysis.rating_files import HEADER, drawn_rows, frame_of, write_ratings

GOOD = "worker_id,model,conversation_id,axis,rating\nann,BST,c1,overall,4\nbob,ED,c2,overall,2\n"


@pytest.fixture
def read(tmp_path: Path):
    def of(content: str | bytes, scale: Scale = PAPER_SCALE) -> RatingsFile:
        path = tmp_path / "some ratings.csv"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return read_ratings(path, scale)

    return of


@pytest.fixture
def faults(read):
    def of(content: str | bytes, scale: Scale = PAPER_SCALE) -> list[str]:
        with pytest.raises(FileRefused) as refused:
            read(content, scale)
        assert refused.value.count >= len(refused.value.faults)
        return [str(fault) for fault in refused.value.faults]

    return of


def body(*lines: str, header: str = ",".join(HEADER)) -> str:
    return "\n".join([header, *lines]) + "\n"


# --- What is taken ------------------------------------------------------------------------------------------


def test_a_file_gives_the_frame_of_its_rows(tmp_path: Path) -> None:
    rows = drawn_rows()
    read = read_ratings(write_ratings(tmp_path / "ratings.csv", rows))
    assert read.frame.sha256 == frame_of(rows).sha256
    assert (read.rows, read.frame.talks, read.frame.workers, read.incomplete) == (180, 90, 12, 0)
    assert (read.frame.study, read.frame.title) == ("ratings", "ratings.csv")


@pytest.mark.parametrize(
    "other",
    [
        GOOD.replace("\n", "\r\n"),
        GOOD.replace("\n", "\r"),
        "\ufeff" + GOOD,
        GOOD.replace(",", ";"),
        GOOD.replace(",", "\t"),
        GOOD.replace(",", " , "),
        GOOD.replace("ann", '"ann"'),
        GOOD.replace("model", "Model").replace("worker_id", "WORKER_ID"),
        GOOD.rstrip("\n"),
        "rating,axis,model,conversation_id,worker_id\n2.0,overall,ED,c2,bob\n4,overall,BST,c1,ann\n",
    ],
    ids="crlf cr bom semicolons tabs spaces quotes capitals no-last-end other-order".split(),
)
def test_ways_to_write_a_file_make_no_difference(read, other: str) -> None:
    assert read(other).frame.sha256 == read(GOOD).frame.sha256


def test_a_field_may_hold_what_parts_fields_and_lines(read) -> None:
    frame = read(body('"a, b\nc",BST,c1,overall,4', "bob,ED,c2,overall,2")).frame
    assert frame.people == ("a, b\nc", "bob")


def test_what_is_not_used_is_told(read) -> None:
    found = read(body("ann,BST,c1,overall,4,x", "", "bob,ED,c2,wit,2,y", header=",".join([*HEADER, "Mood"])))
    assert (found.rows, found.blank, found.unused, found.incomplete) == (2, 1, ("mood",), 2)


def test_more_rows_than_are_read_at_once_are_all_there(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr("analysis.reading.csv_rows.ROWS_AT_ONCE", 7)
    rows, heard = drawn_rows(), []
    read = read_ratings(write_ratings(tmp_path / "ratings.csv", rows), tell=heard.append)
    assert read.frame.sha256 == frame_of(rows).sha256
    assert heard[:2] == [7, 14] and heard[-1] == 180


def test_another_scale_is_taken_with_its_ends(read) -> None:
    found = read(body("ann,BST,c1,wit,0", "bob,ED,c2,wit,100", "cy,ED,c3,wit,33.5"), Scale(0, 100))
    assert found.frame.score.tolist() == [0, 100, 33.5] and found.frame.axes == ("wit",)


def test_covariates_follow_their_ratings(read) -> None:
    header = ",".join([*HEADER, "context", "turns", "reply_seconds", "started_at", "ended_at"])
    found = read(
        body(
            "bob,ED,c2,overall,2,wow,7,4,2020-05-01T10:00:00Z,2020-05-01T10:08:00+00:00",
            "ann,BST,c1,overall,4,ed,,2,,",
            "cy,BST,c3,overall,4,,6,,2020-05-01 10:00,2020-05-01 10:04",
            header=header,
        )
    )
    context, turns, reply, whole = found.covariates
    assert isinstance(context, Factor) and context.levels == ("ed", "wow")
    assert context.code.tolist() == [0, 1, -1]
    numbers = [each.value for each in (turns, reply, whole) if isinstance(each, Number)]
    expected = [[np.nan, 7, 6], [1, 2, np.nan], [np.nan, np.log2(480), np.log2(240)]]
    np.testing.assert_array_equal(numbers, expected)


def test_a_context_of_its_own_for_each_talk_is_not_used_and_that_is_told(read) -> None:
    rows = [f"w{k},BST,c{k},overall,4,context {k}" for k in range(31)]
    found = read(body(*rows, header=",".join([*HEADER, "context"])))
    assert not found.covariates
    assert found.unused == ("context (31 different names; effects are told of 30 at most)",)
    assert read(body(*rows[:30], header=",".join([*HEADER, "context"]))).covariates


def test_several_workers_may_rate_one_talk(read) -> None:
    found = read(body("ann,ED,c1,wit,2", "bob,ED,c1,wit,3", "bob,ED,c1,overall,3", "ann,BST,c2,wit,4"))
    assert (found.frame.talks, found.frame.workers, found.frame.talks_by_model().tolist()) == (2, 2, [1, 1])
    assert (found.answers, found.incomplete) == (3, 2)


# --- Faults -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("lines", "fault"),
    [
        (["ann,BST,c1,overall,6"], "line 2, rating: '6'; expected is a number from 1 to 5"),
        (["ann,BST,c1,overall,nan"], "line 2, rating: 'nan'; expected is a number from 1 to 5"),
        (["ann,BST,c1,overall,four"], "line 2, rating: 'four'; expected is a number from 1 to 5"),
        (["ann,BST,c1,overall,0_4"], "line 2, rating: '0_4'; expected is a number from 1 to 5"),
        (['ann,BST,c1,overall,"3,5"'], "line 2, rating: '3,5'; expected is a number from 1 to 5"),
        (["ann,BST,c1,overall,"], "line 2, rating: empty; expected is a number from 1 to 5"),
        ([" ,BST,c1,overall,4"], "line 2, worker_id: empty; expected is a name that tells it apart"),
        (["ann,BST,,overall,4"], "line 2, conversation_id: empty; expected is a name that tells it apart"),
        (["ann,BST,c1,overall"], "line 2: 4 fields; the first line names 5 columns"),
        (
            ["ann,BST,c1,overall,4", "ann,ED,c1,wit,4"],
            "line 3, model: 'ED' in conversation 'c1', which has 'BST' on line 2; a conversation has one",
        ),
        (
            ["ann,BST,c1,overall,4", "", "ann,BST,c1,overall,4"],
            "line 4, axis: 'overall' of conversation 'c1' was rated by 'ann' on line 2 already; "
            "a worker rates it once",
        ),
    ],
)
def test_a_fault_is_named_with_its_place_and_what_was_expected(faults, lines: list[str], fault: str) -> None:
    assert faults(body(*lines)) == [fault]


def test_talks_without_a_name_are_no_talk_together(faults) -> None:
    found = faults(body("ann,BST,,overall,4", "bob,ED,,overall,4"))
    assert [fault.split(":")[0] for fault in found] == ["line 2, conversation_id", "line 3, conversation_id"]


@pytest.mark.parametrize(
    ("times", "fault"),
    [
        ("noon,", "line 2, started_at: 'noon'; expected is a time such as 2020-05-01T14:30:00Z"),
        (
            "2020-05-01T10:00Z,2020-05-01T09:00Z",
            "line 2, ended_at: '2020-05-01T09:00Z' is before started_at, '2020-05-01T10:00Z'",
        ),
        (
            "2020-05-01T10:00Z,2020-05-01T11:00",
            "line 2, ended_at: only one of the two times has a time zone; give both one, or neither",
        ),
    ],
)
def test_times_that_are_none_are_named(faults, times: str, fault: str) -> None:
    header = ",".join([*HEADER, "started_at", "ended_at"])
    assert faults(body(f"ann,BST,c1,overall,4,{times}", header=header)) == [fault]


@pytest.mark.parametrize("value", ["-1", "many", "inf", "1e300"])
def test_a_count_of_turns_is_a_number_that_is_not_negative(faults, value: str) -> None:
    found = faults(body(f"ann,BST,c1,overall,4,{value}", header=",".join([*HEADER, "turns"])))
    assert found == [
        f"line 2, turns: '{value}'; expected is a number from 0 to 1,000,000,000, or nothing where it is "
        "not known"
    ]


def test_a_missing_column_is_named_beside_those_there_are(faults) -> None:
    content = "worker,model,conversation_id,axis,rating\nann,BST,c1,overall,4\n"
    assert faults(content) == [
        "line 1, worker_id: the column is missing; the line names 'worker', 'model', 'conversation_id', 'axis', "
        "'rating'"
    ]


def test_a_column_that_is_there_twice_is_refused(faults) -> None:
    header = ",".join([*HEADER, "Rating"])
    assert faults(body("ann,BST,c1,overall,4,5", header=header)) == [
        "line 1, rating: the column is there twice; leave one out"
    ]


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (
            "",
            "line 1: the line is empty; expected are the columns worker_id, model, conversation_id, axis, rating",
        ),
        (body(), "line 1: no rating stands below the first line"),
        (GOOD.encode("utf-16"), "line 1: the file is in UTF-16; save it as UTF-8"),
        (GOOD.encode("utf-16-le"), "line 1: the file is in UTF-16; save it as UTF-8"),
    ],
)
def test_files_without_ratings_are_refused(faults, content: str | bytes, fault: str) -> None:
    assert faults(content) == [fault]


def test_bytes_that_are_no_utf_8_are_named_where_they_stand(faults) -> None:
    found = faults(GOOD.replace("bob", "zoë").encode("latin-1"))
    assert found == ["line 3, worker_id: bytes that are no UTF-8 in 'zo\\udceb'; save the file as UTF-8"]


@pytest.mark.parametrize("letter", ["\0", "\x01", "\x0b", "\x1b", "\x7f", "\ufffe", "\uffff"])
def test_characters_that_no_report_can_show_are_named_where_they_stand(faults, letter: str) -> None:
    (fault,) = faults(GOOD.replace("ED", f"E{letter}D"))
    assert fault.startswith("line 3, model: characters that cannot be shown in 'E\\")
    assert fault.endswith("; take them out")


def test_lines_within_a_field_and_letters_of_all_scripts_are_taken(read) -> None:
    models = ["E\tD\r\nF", "عربي\u200f", "\U0001f469\u200d\U0001f680", "\u00a0\u0085é"]
    found = read(body(*(f'w{k},"{name}",c{k},overall,3' for k, name in enumerate(models))))
    assert len(found.frame.models) == 4


def test_more_models_or_axes_than_a_report_compares_are_most_likely_another_column(faults) -> None:
    (models,) = faults(body(*(f"ann,m{k},c{k},overall,4" for k in range(101))))
    assert (
        models == "line 1, model: 101 different names; a report compares 100 at most. Is it another column?"
    )
    (axes,) = faults(body(*(f"ann,BST,c{k},a{k},4" for k in range(101))))
    assert axes.startswith("line 1, axis: 101 different names;")


def test_a_quoted_field_that_never_ends_is_named_by_the_line_where_it_begins(faults) -> None:
    (fault,) = faults(body("ann,BST,c1,overall,4", '"bob,ED,c2,overall,2', "cy,ED,c3,overall,2"))
    assert fault.startswith("line 3: no CSV (unexpected end of data);")


def test_lines_are_counted_as_an_editor_counts_them(faults) -> None:
    (fault,) = faults(body('"a\nb",BST,c1,overall,4', "bob,ED,c2,overall,9"))
    assert fault.startswith("line 4, rating: '9'")


def test_all_faults_are_counted_and_the_first_twenty_told_in_their_order(read) -> None:
    lines = [f"w{k},BST,c{k},overall,{9 if k % 2 else 4}" for k in range(100)]
    lines[3] = "w1,BST,,overall,4"
    with pytest.raises(FileRefused) as refused:
        read(body(*lines, "w0,ED,c0,wit,4"))
    told = str(refused.value).splitlines()
    assert told[0] == "some ratings.csv: 51 faults in 101 rows; nothing was analysed."
    assert told[2].startswith("line 5, conversation_id: empty") and told[-1] == "... and 31 more"
    assert [fault.line for fault in refused.value.faults] == sorted(f.line for f in refused.value.faults)


def test_what_a_file_says_cannot_reach_the_terminals_controls(faults) -> None:
    found = faults(body("ann,BST,c1,overall,\x1b[2J" + "x" * 200))
    assert not any("\x1b" in fault or len(fault) > 140 for fault in found)


def test_a_column_that_is_not_used_may_be_called_anything(read) -> None:
    found = read(b"worker_id,model,conversation_id,axis,rating,n\xff\x01\nann,BST,c1,wit,3,x\n")
    assert found.unused == ("n\ufffd\ufffd",)


def test_a_pipe_is_refused_before_it_is_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", tmp_path, Path("/dev/zero")):
        with pytest.raises(UnreadableFile, match=r"it is a folder, a pipe or a device; name a CSV file\."):
            read_ratings(path)


def test_a_files_name_may_hold_any_bytes(tmp_path: Path) -> None:
    path = tmp_path / os.fsdecode(b"\xff\x01ratings.csv")
    path.write_text(GOOD)
    assert read_ratings(path).frame.title == "\ufffd\ufffdratings.csv"


def test_a_file_that_is_not_there_is_said_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile, match=r"Cannot read .*missing.csv: No such file or directory\."):
        read_ratings(tmp_path / "missing.csv")
