"""``manage.py export``."""

from __future__ import annotations

import tarfile
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from analysis.exports.alone import alone
from analysis.exports.data import read_jsonl
from tests.analysis.exports.collected import Collected


def run(*arguments: str) -> str:
    out = StringIO()
    call_command("export", "--study", "table7", *arguments, stdout=out, stderr=StringIO())
    return out.getvalue()


def test_it_writes_json_lines_of_everything_unless_told_otherwise(
    collected: Collected, tmp_path: Path
) -> None:
    said = run("--out", str(tmp_path / "all"))
    assert said.startswith(f"{tmp_path / 'all'}: JSON Lines of people, ")
    assert "  conversations.jsonl: " in said and ", 6 records" in said
    assert len(list((tmp_path / "all").glob("*.jsonl"))) == 11


def test_it_writes_the_records_that_are_asked_for(collected: Collected, tmp_path: Path) -> None:
    run("--out", str(tmp_path / "some"), "--what", "ratings, models", "--format", "csv")
    assert sorted(path.name for path in (tmp_path / "some").iterdir()) == [
        "export.json",
        "models.csv",
        "ratings.csv",
    ]


def test_simulated_and_excluded_are_asked_for_by_options(collected: Collected, tmp_path: Path) -> None:
    run("--out", str(tmp_path / "sim"), "--simulated")
    assert len(list(read_jsonl(tmp_path / "sim" / "ratings.jsonl"))) == 4
    run("--out", str(tmp_path / "ex"), "--with-excluded")
    assert len(list(read_jsonl(tmp_path / "ex" / "ratings.jsonl"))) == 20


def test_an_archive_holds_the_folder_under_its_name(collected: Collected, tmp_path: Path) -> None:
    run("--out", str(tmp_path / "frozen"), "--format", "bundle", "--archive")
    with tarfile.open(tmp_path / "frozen.tar.gz") as tar:
        assert "frozen/MANIFEST.json" in tar.getnames()
        assert {member.mtime for member in tar} == {0}
    first = (tmp_path / "frozen.tar.gz").read_bytes()
    run("--out", str(tmp_path / "frozen"), "--format", "bundle", "--archive")
    assert (tmp_path / "frozen.tar.gz").read_bytes() == first
    assert first[4:8] == bytes(4)  # where gzip keeps a time


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--identified"], "needs a reason"),
        (["--reason", "payments"], "give --identified too"),
        (["--licence", "cc0-1.0"], "goes into the card of --format huggingface"),
        (["--weights"], "--weights go into --format bundle; jsonl holds none"),
        (["--what", "votes"], "no records 'votes'"),
    ],
)
def test_options_that_say_nothing_are_refused(
    collected: Collected, tmp_path: Path, options: list[str], said: str
) -> None:
    with pytest.raises(CommandError, match=said):
        run("--out", str(tmp_path / "out"), *options)
    assert not (tmp_path / "out").exists()


def test_internal_ids_stand_there_when_a_reason_was_given(collected: Collected, tmp_path: Path) -> None:
    run("--out", str(tmp_path / "ids"), "--identified", "--reason", "payments", "--what", "workers")
    named = {each["worker"] for each in read_jsonl(tmp_path / "ids" / "workers.jsonl")}
    assert str(collected.people["ann"].worker_id) in named


def test_a_place_that_cannot_be_written_is_a_sentence(collected: Collected, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(CommandError, match=r"Cannot write .*: Not a directory\."):
        run("--out", str(tmp_path / "file" / "out"))


def test_a_folder_that_another_command_writes_into_is_left_alone(
    collected: Collected, tmp_path: Path
) -> None:
    run("--out", str(tmp_path / "all"))
    before = {path: path.read_bytes() for path in (tmp_path / "all").iterdir()}
    collected.talk("late", 0, scores=(1, 2, 3, 4), texts=())
    with (
        alone(tmp_path / "all"),
        pytest.raises(CommandError, match=r"Another command is writing into .*all; wait until it is done"),
    ):
        run("--out", str(tmp_path / "all"))
    assert {path: path.read_bytes() for path in (tmp_path / "all").iterdir()} == before
    run("--out", str(tmp_path / "all"))


def test_an_unknown_study_is_a_sentence(collected: Collected, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"There is no study 'other'\. Studies here: table7\."):
        call_command("export", "--study", "other", "--out", str(tmp_path / "out"))
