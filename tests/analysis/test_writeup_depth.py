"""The parts of a report behind the answer: other ways, leniency, power, and how figures are made."""

from __future__ import annotations

import numpy as np
import pytest

from analysis.inference import Analysis, Source, analyse
from analysis.reading.ratings_frame import RatingsFrame
from analysis.statistics.interval_methods import IntervalOptions, Method
from analysis.statistics.planning import power
from analysis.tables.table7 import table7
from analysis.writeup.document import Curve, Document, Histogram, Section
from analysis.writeup.report import written
from tests.analysis.rating_files import Row, drawn_rows, frame_of


def analysed(rows: list[Row], method: Method = Method.WILSON_CR2, without: str = "") -> Analysis:
    """``without`` names a worker whom a rule leaves out."""
    frame = frame_of(rows)
    rules: dict[str, RatingsFrame] = {"speed": frame.without({without})} if without else {}
    return analyse(frame, Source("a file", True), IntervalOptions(method=method), without=rules)


def part(name: str, found: Document) -> Section:
    return next(each for each in found.sections if each.name == name)


def lines(section: Section, table: str) -> list[dict[str, object]]:
    found = next(each for each in section.tables if each.name == table)
    return [dict(zip(found.columns, row, strict=True)) for row in found.rows]


# --- Other ways ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", [Method.T, Method.CR2_T, Method.WILSON_CR2])
def test_each_way_says_what_a_report_of_that_way_says(method: Method) -> None:
    rows = drawn_rows(talks=40)
    bootstrap = part("sensitivity", written(analysed(rows, Method.BOOTSTRAP)))
    ways = {line["way"]: line for line in lines(bootstrap, "sensitivity")}
    own = lines(part("sensitivity", written(analysed(rows, method))), "sensitivity")[0]
    other = ways[own["way"]]
    assert (other["highest"], other["near_best"]) == (own["highest"], own["near_best"])
    column = table7(frame_of(rows), IntervalOptions(method=method)).column("overall")
    assert other["near_best"] == "; ".join(model for model, cell in column if cell.bold)
    assert own["as_reported"] is True


def test_a_rule_that_turns_the_answer_is_told() -> None:
    rows: list[Row] = [
        (f"w{k}", model, f"{model}{k}", "overall", score)
        for model, scores in {"Ape": [3, 3, 4, 3], "Bee": [2, 3, 2, 3]}.items()
        for k, score in enumerate(scores * 3)
    ]
    rows += [("shill", "Bee", f"s{k}", "overall", 5) for k in range(20)]
    section = part("sensitivity", written(analysed(rows, without="shill")))
    reported, *_, rule = lines(section, "sensitivity")
    assert (reported["highest"], rule["highest"]) == ("Bee", "Ape")
    assert rule["way"] == "without: speed" and rule["as_reported"] is False
    assert "The ways differ in which model has the highest mean: Bee or Ape." in section.words


def test_ways_that_agree_are_said_to() -> None:
    words = part("sensitivity", written(analysed(drawn_rows(talks=600)))).words
    assert words[1] == "All 4 ways have the highest mean at Cat, and all leave the same models near it."


def test_a_rule_that_leaves_too_little_is_no_way_that_agrees() -> None:
    rows = [*drawn_rows(talks=600), ("w1", "Dog", "d1", "overall", 5)]
    rules = {"nobody": frame_of(rows).without({f"w{k}" for k in range(12)})}
    frame = frame_of(rows)
    found = written(analyse(frame, Source("a file", True), IntervalOptions(), without=rules))
    assert part("sensitivity", found).words[1] == (
        "All 4 ways have the highest mean at Cat, and all leave the same models near it. Too few ratings are left in 1 "
        "more."
    )


def test_one_model_has_no_other_ways() -> None:
    section = part("sensitivity", written(analysed(drawn_rows(models=["Ape"]))))
    assert section.missing == ("No two models can be compared.",) and not section.grids


# --- Workers ------------------------------------------------------------------------------------------------


def test_a_histogram_holds_every_worker_once() -> None:
    analysis = analysed(drawn_rows(workers=12))
    section = part("workers", written(analysis))
    for a, figure in enumerate(section.figures):
        assert isinstance(figure, Histogram)
        expected, _ = np.histogram(analysis.leniency.effect[:, a], figure.edges)
        assert figure.counts == tuple(expected) and sum(figure.counts) == 12
    counts = [line["workers"] for line in lines(section, "worker_effects")]
    assert counts == [count for figure in section.figures for count in figure.counts]


@pytest.mark.parametrize("low", [2, 8, 50])
def test_bins_are_few_and_round_on_any_scale(low: int) -> None:
    edges = part("workers", written(analysed(drawn_rows(talks=3000, workers=low * 10)))).figures[0].edges
    width = edges[1] - edges[0]
    assert 2 <= len(edges) <= 31
    assert min(abs(width - share) for share in (0.05, 0.1, 0.2, 0.25, 0.5)) < 1e-9
    assert all(abs(edge / width - round(edge / width)) < 1e-6 for edge in edges)


def test_four_workers_are_no_distribution() -> None:
    section = part("workers", written(analysed(drawn_rows(workers=4))))
    assert not section.figures and lines(section, "worker_effects") == []


# --- Power --------------------------------------------------------------------------------------------------


def test_a_curve_is_the_power_of_each_number_of_talks() -> None:
    analysis = analysed(drawn_rows())
    outlook = analysis.outlooks[-1]
    figure = part("planning", written(analysis)).figures[-1]
    assert isinstance(figure, Curve) and outlook is not None
    one, every = figure.lines
    for (n, chance), (_, chance_all) in list(zip(one.points, every.points, strict=True))[::7]:
        assert chance == pytest.approx(power(outlook.design, 0.3, n, alpha=0.05))
        assert chance_all == pytest.approx(power(outlook.design, 0.3, n, alpha=0.05, comparisons=3))
    assert figure.now == outlook.have == 30 and figure.end >= outlook.goals[0].needed_all


def test_the_table_of_powers_has_what_there_is_and_what_is_needed_between_its_lines() -> None:
    analysis = analysed(drawn_rows())
    rows = [line for line in lines(part("planning", written(analysis)), "power") if line["axis"] == "overall"]
    assert 30 in [row["talks"] for row in rows]
    needed = analysis.outlooks[-1].goals[0].needed
    assert max(row["power"] for row in rows if row["talks"] < needed) < 0.8
    assert min(row["power"] for row in rows if row["talks"] >= needed) >= 0.8


# --- Method -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", list(Method))
def test_the_note_is_about_the_way_that_was_taken(method: Method) -> None:
    section = part("method", written(analysed(drawn_rows(), method)))
    words = " ".join(section.words)
    assert ("Wilson" in words) is (method is Method.WILSON_CR2)
    assert ("too narrow. " in f"{words} " and "many papers" in words) is (method is Method.T)
    assert ("ought to hold the true mean" in words) is (method is Method.T)
    assert ("drawn again" in words) is (method is Method.BOOTSTRAP)
    assert any("Hsu (1984)" in source for source in section.sources)
    assert not any("Smith" in source for source in section.sources)  # nothing of the paper's is shown here
