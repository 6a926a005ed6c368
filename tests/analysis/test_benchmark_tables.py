"""Tables 4, 5 and 6 from stored results: which results count, where they stand, and beside what."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from analysis.benchmarks import benchmarks
from analysis.errors import UnknownData
from analysis.tables.benchmark_table import BenchmarkTable, Cell, Row
from modelhub import registry
from tests.analysis.measured_models import RANKS, SINGLE_SKILLS, chose, measure_everything, model, ranked

pytestmark = pytest.mark.django_db


def table(number: int) -> BenchmarkTable:
    return next(each for each in benchmarks().tables if each.number == number)


def row(of: BenchmarkTable, label: str, section: str = "") -> Row:
    rows = [each for part in of.sections if not section or part.title == section for each in part.rows]
    return next(each for each in rows if each.label == label)


def texts(of: Row) -> list[str]:
    return [cell.text for cell in of.cells]


def papers(of: Row) -> list[float | None]:
    return [cell.paper for cell in of.cells]


# --- The whole ----------------------------------------------------------------------------------------------------


def test_without_results_there_is_no_table() -> None:
    shown = benchmarks()
    assert (shown.data, shown.tables, shown.folders) == (None, (), ())


def test_one_result_shows_every_row_of_the_paper_beside_it() -> None:
    ranked(model("ed", "My ED"), "ed")
    assert [len(each.rows) for each in benchmarks().tables] == [4, 12, 7]
    found = row(table(5), "ED", "Each task as it is")
    assert (texts(found), papers(found)) == (["–", "–", "62.5", "–"], [63.3, 81.0, 65.1, 69.8])
    assert [each.measured for each in benchmarks().tables] == [0, 1, 0]


def test_all_results_fill_every_cell_that_the_paper_has() -> None:
    measure_everything()
    empty = [
        (each.number, found.label, cell.column)
        for each in benchmarks().tables
        for found in each.rows
        for cell in found.cells
        if cell.value is None and cell.paper is not None
    ]
    assert {label for _, label, _ in empty} == {"Best reported before"}
    assert all(each.alike for each in benchmarks().tables)


def test_the_papers_figures_are_those_of_the_paper(reference: Path) -> None:
    facts = reference / "paper" / "facts.md"
    if not facts.is_file():
        pytest.skip(f"no {facts}; set COLLOQUY_REFERENCE")
    measure_everything()
    text = facts.read_text()
    original, debiased, original_bst, debiased_bst = (papers(each) for each in table(4).rows)
    for before, after in zip(original + original_bst, debiased + debiased_bst, strict=True):
        assert f"{before} -> {after}" in text
    for each in table(5).rows:
        assert " ".join(map(str, papers(each))) in text, each.label
    for each in table(6).rows:
        figures = " / ".join("-" if figure is None else str(figure) for figure in papers(each))
        assert f"{each.label} {figures}" in text


# --- Figures ------------------------------------------------------------------------------------------------------


def test_a_cell_is_the_share_of_first_ranks_with_an_interval() -> None:
    ranked(model("bst"), "bst")
    cell = row(table(6), "BST").cells[1]
    assert (cell.value, cell.n, cell.dialogues) == (0.625, 8, 3)
    assert cell.low < cell.value < cell.high
    assert cell.details.hits_at_5 == pytest.approx(6 / 8) and cell.details.hits_at_10 == pytest.approx(7 / 8)


def test_with_many_dialogues_of_one_utterance_the_interval_is_wilsons() -> None:
    ranked(model("bst"), "bst", [[1]] * 300 + [[2]] * 700)
    cell = row(table(6), "BST").cells[1]
    z, n, share = 1.959964, 1000, 0.3
    middle = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z * math.sqrt(share * (1 - share) / n + z**2 / (4 * n**2)) / (1 + z**2 / n)
    assert (cell.low, cell.high) == (
        pytest.approx(middle - half, abs=1e-4),
        pytest.approx(middle + half, abs=1e-4),
    )


def test_dialogues_that_are_alike_inside_widen_the_interval() -> None:
    ranked(model("ed"), "bst", [[1, 1], [1, 2], [2, 1], [2, 2]] * 10)
    ranked(model("wow"), "bst", [[1, 1], [2, 2]] * 20)
    even, uneven = (row(table(6), label).cells[0] for label in ("ED", "WoW"))
    assert even.value == uneven.value == 0.5
    assert uneven.high - uneven.low > 1.25 * (even.high - even.low)


@pytest.mark.parametrize(
    ("ranks", "why"), [([[1]], "no interval: one example"), ([[1, 2]], "no interval: one dialogue")]
)
def test_one_dialogue_has_no_interval_and_says_why(ranks: list[list[int]], why: str) -> None:
    ranked(model("bst"), "bst", ranks)
    cell = row(table(6), "BST").cells[1]
    assert (cell.low, cell.high, cell.why) == (None, None, why)


def test_an_average_is_the_mean_of_tasks_whose_errors_add_up() -> None:
    many = [[1]] * 150 + [[2]] * 250
    for task in SINGLE_SKILLS:
        ranked(model("ed"), task, many)
    *tasks, average = row(table(5), "ED", "Each task as it is").cells
    assert average.value == pytest.approx(0.375)
    half = (tasks[0].high - tasks[0].low) / 2
    assert average.high - average.value == pytest.approx(half / math.sqrt(3), rel=1e-3)
    assert average.details is None


def test_shares_of_sources_are_those_of_the_chosen_utterances() -> None:
    chose(model("mt-single-skills"), [["convai2", "ed"], ["ed", "wow", "ed"]])
    found = row(table(4), "MT Single-Skills, debiased")
    assert [cell.value for cell in found.cells] == [0.2, 0.2, 0.6]
    assert papers(found) == [38.9, 29.4, 31.6]


def test_a_bank_with_bst_shows_a_column_for_it() -> None:
    chose(model("bst"), [["bst", "bst"], ["bst"]])
    assert table(4).columns == ("ConvAI2", "WoW", "ED", "BST")
    assert texts(row(table(4), "bst")) == ["0.0", "0.0", "0.0", "100.0"]


# --- Which results count ------------------------------------------------------------------------------------------


def hits(label: str, column: int) -> Cell:
    return row(table(6), label).cells[column]


def test_the_newest_revision_counts() -> None:
    ranked(model("ed"), "bst", [[1], [1]])
    newer = registry.register("ed", "ED", "scripted", None, {"replies": ["newer"]})
    ranked(newer, "bst", [[2], [1]])
    assert (hits("ED", 0).text, hits("ED", 0).details.reference) == ("50.0", "ed@2")


def test_of_a_revisions_runs_the_largest_counts_and_of_equal_ones_the_last() -> None:
    whole = [[1], [2], [2], [2]]
    ranked(model("ed"), "bst", whole)
    ranked(model("ed"), "bst", [[1], [1]], max_examples=2, questions_sha256="a part")
    assert hits("ED", 0).text == "25.0"
    ranked(model("ed"), "bst", [[1], [1], [1], [2]])
    assert hits("ED", 0).text == "75.0"


def test_what_was_trained_on_bst_stands_in_the_second_column() -> None:
    ranked(model("ed"), "bst", [[1], [2]])
    ranked(model("ed-bst"), "bst", [[1], [1]])
    ranked(model("bst"), "bst", [[2], [2]])
    assert texts(row(table(6), "ED")) == ["50.0", "100.0"]
    assert texts(row(table(6), "BST")) == ["–", "0.0"]


def test_other_models_and_folders_follow_the_papers_rows(tmp_path: Path) -> None:
    ranked(model("mine", "My model"), "bst")
    ranked(tmp_path / "fresh", "bst")
    ranked(tmp_path / "fresh-bst", "bst")
    ranked(tmp_path / "mine", "bst")
    labels = [each.label for each in table(6).rows]
    assert labels[7:] == ["My model", "fresh", "mine (folder)"]
    assert texts(row(table(6), "fresh")) == ["62.5", "62.5"]


def test_single_task_models_stand_in_one_row_of_the_mixed_section() -> None:
    for number, task in enumerate(SINGLE_SKILLS):
        ranked(model(task), task, [[1 + number], [1]], mixed_candidates=True)
    mixed = table(5).sections[2]
    assert [each.label for each in mixed.rows] == [
        "Single-task (three models)",
        "MT Two-Stage",
        "MT Single-Skills",
    ]
    assert texts(mixed.rows[0]) == ["100.0", "50.0", "50.0", "66.7"]
    assert mixed.rows[0].reference == "convai2@1 · wow@1 · ed@1"


def test_mixed_candidates_with_added_context_are_in_no_section() -> None:
    ranked(model("ed"), "ed", mixed_candidates=True, added_context=True)
    assert table(5).measured == 0


def test_cells_that_were_asked_something_else_are_marked() -> None:
    for slug in ("convai2", "wow", "ed"):
        ranked(model(slug), "bst", questions_sha256="other" if slug == "wow" else "usual")
    assert [hits(label, 0).alike for label in ("ConvAI2", "WoW", "ED")] == [True, False, True]
    assert not table(6).alike
    assert table(6).notes == [
        "BST, zero-shot: BST's test split, 8 examples of 3 dialogues, 20 listed candidates."
    ]


# --- Folders of data ----------------------------------------------------------------------------------------------


def test_tables_are_of_the_folder_measured_on_last_unless_another_is_named() -> None:
    ranked(model("ed"), "bst", [[1], [1]])
    ranked(model("ed"), "bst", [[2], [2]], data_folder="/data/official")
    assert benchmarks().data.path == "/data/official"
    assert [(each.label, each.results) for each in benchmarks().folders] == [
        ("/data/official", 1),
        ("starter corpus", 1),
    ]
    assert hits("ED", 0).text == "0.0"
    for name in ("starter corpus", "modelhub/datasets/starter"):
        assert row(benchmarks(name).tables[2], "ED").cells[0].text == "100.0"


def test_a_folder_without_results_is_named_with_those_that_have_some() -> None:
    with pytest.raises(
        UnknownData, match=r"Nothing was measured on 'x'\. Folders of data sets here: none yet"
    ):
        benchmarks("x")
    ranked(model("ed"), "bst", RANKS)
    with pytest.raises(UnknownData, match=r"'x'\. Folders of data sets here: starter corpus\."):
        benchmarks("x")
