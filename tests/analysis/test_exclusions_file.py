"""Rules of exclusion that were applied elsewhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from analysis.reading.csv_rows import FileRefused
from analysis.reading.exclusions_file import ALL_RULES, read_exclusions, strangers, without_each
from tests.analysis.rating_files import drawn_rows, frame_of

FRAME = frame_of(drawn_rows())


def written(path: Path, content: str) -> Path:
    path.write_text(content)
    return path


def test_workers_are_grouped_by_rule(tmp_path: Path) -> None:
    content = "rule,worker_id\nspeed,w2\nattention,w1\nspeed,w1\n"
    found = read_exclusions(written(tmp_path / "out.csv", content))
    assert list(found.items()) == [("attention", {"w1"}), ("speed", {"w1", "w2"})]


def test_each_rule_leaves_its_workers_out_and_all_rules_together_do(tmp_path: Path) -> None:
    left = without_each(FRAME, {"a": {"w1"}, "b": {"w1", "w2", "nobody"}})
    assert list(left) == ["a", "b", ALL_RULES]
    assert [frame.workers for frame in left.values()] == [11, 10, 10]


def test_one_rule_stands_alone() -> None:
    assert list(without_each(FRAME, {"a": {"w1"}})) == ["a"]


def test_workers_without_ratings_are_counted() -> None:
    assert strangers(FRAME, {"a": {"w1", "x"}, "b": {"x", "y"}}) == 2
    assert strangers(FRAME, {}) == 0


def test_more_rules_than_a_report_compares_are_most_likely_another_column(tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    path.write_text("rule,worker_id\n" + "".join(f"w{k},speed\n" for k in range(101)))
    with pytest.raises(
        FileRefused, match=r"line 1, rule: 101 different names; a report compares 100 at most\."
    ):
        read_exclusions(path)


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        ("worker_id,rule\nw1,\n", "line 2, rule: empty; each line names a worker and a rule"),
        ("worker_id,rule\n", "line 1: no line stands below the first"),
        ("worker_id\nw1\n", "line 1, rule: the column is missing"),
    ],
)
def test_faults_are_named(tmp_path: Path, content: str, fault: str) -> None:
    with pytest.raises(FileRefused) as refused:
        read_exclusions(written(tmp_path / "out.csv", content))
    assert fault in str(refused.value)
