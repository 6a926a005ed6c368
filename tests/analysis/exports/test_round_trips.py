"""What was exported is read back equal to what the database holds, kind by kind and format by format."""

from __future__ import annotations

import builtins
import csv
import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from analysis.errors import ExportRefused, UnknownRecords
from analysis.exports.data import KINDS, Exported, Identification, Kind, read_csv, read_jsonl, read_parquet
from analysis.exports.data.formats.csv import files_of, neutral, restored
from analysis.exports.data.schema import faults
from analysis.reading.frames import Population
from tests.analysis.exports.collected import HARD_TEXTS, Collected
from tests.analysis.exports.expected import EXPECTED

READERS: dict[str, Callable[[Path, Kind], Iterable[dict[str, Any]]]] = {
    "jsonl": lambda folder, kind: read_jsonl(folder / f"{kind.name}.jsonl"),
    "csv": lambda folder, kind: read_csv([folder / name for name in files_of(kind)]),
    "parquet": lambda folder, kind: read_parquet(folder / f"{kind.name}.parquet"),
}
NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?(e-?[0-9]+)?")
every_kind = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
every_format = pytest.mark.parametrize("form", READERS)


@every_kind
@every_format
def test_what_is_read_back_is_what_the_database_holds(
    collected: Collected, exported: Callable[..., Exported], form: str, kind: Kind
) -> None:
    done = exported(form, what=[kind.name], identification=Identification("ada", "a test"))
    assert list(READERS[form](done.folder, kind)) == list(EXPECTED[kind.name](collected.study))


@every_format
def test_hard_texts_come_back_as_they_were_said(exported: Callable[..., Exported], form: str) -> None:
    conversations = next(kind for kind in KINDS if kind.name == "conversations")
    talks = list(READERS[form](exported(form, what=["conversations"]).folder, conversations))
    said = [message["text"] for message in talks[0]["messages"] if message["speaker"] == "worker"]
    assert tuple(said) == HARD_TEXTS[: len(said)] and max(len(talk["messages"]) for talk in talks) == 12


@every_kind
def test_records_are_what_their_schema_says(exported: Callable[..., Exported], kind: Kind) -> None:
    for record in read_jsonl(exported("jsonl", with_excluded=True).folder / f"{kind.name}.jsonl"):
        assert list(faults(record, kind.fields)) == []


def test_a_record_that_is_not_of_its_schema_would_be_found() -> None:
    ratings = next(kind for kind in KINDS if kind.name == "ratings")
    given = {"score": "3", "excluded": 0, "worker": None, "at": "2026", "axis": "overall"}
    whole = {field.name: "x" for field in ratings.fields} | {"arm": 1} | given
    assert [fault.partition(" ")[0] for fault in faults(whole, ratings.fields)] == [
        "worker",
        "score",
        "excluded",
    ]
    assert "missing" in next(faults({}, ratings.fields))


def test_simulated_talks_stand_in_exports_of_their_own(exported: Callable[..., Exported]) -> None:
    people = list(read_jsonl(exported("jsonl").folder / "conversations.jsonl"))
    assert {talk["simulated"] for talk in people} == {False} and len(people) == 6
    again = exported("jsonl", population=Population.SIMULATED).folder
    assert [talk["simulated"] for talk in read_jsonl(again / "conversations.jsonl")] == [True]
    assert [each["behaviour"] for each in read_jsonl(again / "workers.jsonl")] == ["honest"]


def test_excluded_workers_talks_are_left_out_unless_asked_for(exported: Callable[..., Exported]) -> None:
    without = list(read_jsonl(exported("jsonl").folder / "ratings.jsonl"))
    assert len(without) == 16 and not any(rating["excluded"] for rating in without)
    everything = list(read_jsonl(exported("jsonl", with_excluded=True).folder / "ratings.jsonl"))
    assert [rating["score"] for rating in everything if rating["excluded"]] == [5, 5, 5, 5]
    assert len(everything) == 20


def test_who_is_excluded_stays_among_the_workers(exported: Callable[..., Exported]) -> None:
    workers = list(read_jsonl(exported("jsonl").folder / "workers.jsonl"))
    assert [each["excluded_at"] is not None for each in workers].count(True) == 1 and len(workers) == 4


# --- CSV --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text", [*HARD_TEXTS, "", "'", "''=1", "' -1", "@a", "  +1", "'a", "\n=1", "don't", "＝1", "'＠a"]
)
def test_a_cell_can_be_turned_back_into_its_text(text: str) -> None:
    assert restored(neutral(text)) == text


def test_no_cell_begins_as_a_formula(exported: Callable[..., Exported]) -> None:
    cells = []
    for path in exported("csv", with_excluded=True).folder.glob("*.csv"):
        with path.open(newline="", encoding="utf-8") as file:
            cells += [cell for line in csv.reader(file) for cell in line]
    texts = [cell for cell in cells if not NUMBER.fullmatch(cell)]  # a number below zero is no formula
    assert not [cell for cell in texts if cell.lstrip(" ").startswith(("=", "+", "-", "@", "\t", "\r", "\n"))]
    assert any(cell.startswith("'=HYPERLINK") for cell in cells)


def test_a_csv_with_other_columns_is_refused(exported: Callable[..., Exported]) -> None:
    path = exported("csv", what=["ratings"]).folder / "ratings.csv"
    path.write_text(path.read_text().replace("score", "points", 1))
    with pytest.raises(ExportRefused, match=r"columns are not those of colloquy\.ratings/1"):
        list(read_csv([path]))


# --- Schema -----------------------------------------------------------------------------------------------


def test_a_line_of_an_unknown_schema_is_refused(exported: Callable[..., Exported]) -> None:
    path = exported("jsonl", what=["ratings"]).folder / "ratings.jsonl"
    path.write_text(path.read_text().replace("colloquy.ratings/1", "colloquy.ratings/9"))
    with pytest.raises(ExportRefused, match=r"ratings.jsonl, line 1: .*'colloquy.ratings/9' cannot be read"):
        list(read_jsonl(path))


def test_a_line_that_is_cut_off_is_named(exported: Callable[..., Exported]) -> None:
    path = exported("jsonl", what=["ratings"]).folder / "ratings.jsonl"
    path.write_text(path.read_text()[:-30])
    with pytest.raises(ExportRefused, match="line 16: it is no record"):
        list(read_jsonl(path))


def test_parquet_without_its_library_is_a_sentence(
    exported: Callable[..., Exported], monkeypatch: pytest.MonkeyPatch
) -> None:
    usual = builtins.__import__

    def importing(name: str, *args: Any, **options: Any) -> Any:
        if name.startswith("pyarrow"):
            raise ImportError("No module named 'pyarrow'")
        return usual(name, *args, **options)

    monkeypatch.setattr(builtins, "__import__", importing)
    with pytest.raises(ExportRefused, match="Parquet needs the package pyarrow"):
        exported("parquet")


def test_a_parquet_file_of_others_is_refused(tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet

    path = tmp_path / "other.parquet"
    pa.parquet.write_table(pa.table({"a": [1]}), path)
    with pytest.raises(UnknownRecords, match="schema 'none' cannot be read"):
        list(read_parquet(path))
