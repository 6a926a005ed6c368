"""Where things stand in the pictures."""

from __future__ import annotations

from analysis.plots import MARK_WIDTH, Span, forest, mark, span
from analysis.report import report_of
from ratings.axes import Axis


def test_every_mark_lies_inside_the_drawing(rated_study) -> None:
    study = rated_study()
    study.fill(6)
    table = report_of(study.study)
    shown = span(table)
    marks = [mark(cell, shown) for row in table.rows for cell in row.cells]
    assert all(0 <= each.low <= each.mean <= each.high <= MARK_WIDTH for each in marks)


def test_the_span_ends_at_half_points_around_everything_shown(rated_study) -> None:
    study = rated_study()
    study.fill(30)
    table = report_of(study.study)
    shown = span(table)
    values = [v for row in table.rows for cell in row.cells for v in (cell.low, cell.high, cell.paper)]
    assert (shown.low * 2) % 1 == (shown.high * 2) % 1 == 0
    assert shown.low <= min(values) < shown.low + 0.5
    assert shown.high - 0.5 < max(values) <= shown.high


def test_a_table_without_figures_spans_the_scale(rated_study) -> None:
    assert span(report_of(rated_study(models=["Mine"]).study)) == Span(1, 5)


def test_a_cell_without_an_interval_has_no_mark(rated_study) -> None:
    study = rated_study(models=["Mine"])
    study.talk("ann", 0, [1, 2, 3, 4])
    table = report_of(study.study)
    assert mark(table.rows[0].cells[0], span(table)) is None


def test_a_figure_draws_each_model_once_with_its_interval(rated_study) -> None:
    study = rated_study()
    study.fill(25)
    table = report_of(study.study)
    traces = forest(table, Axis.OVERALL, span(table))["data"]
    drawn = {
        place: (x - minus, x, x + plus)
        for trace in traces
        if "error_x" in trace
        for place, x, plus, minus in zip(
            trace["y"], trace["x"], trace["error_x"]["array"], trace["error_x"]["arrayminus"], strict=True
        )
    }
    cells = [cell for _, cell in table.column(Axis.OVERALL)]
    assert sorted(drawn) == list(range(8))
    for place, cell in enumerate(cells):
        for value, wanted in zip(drawn[place], (cell.low, cell.mean, cell.high), strict=True):
            assert abs(value - wanted) < 1e-9


def test_bold_models_are_another_trace_with_another_shape(rated_study) -> None:
    study = rated_study()
    study.fill(25)
    table = report_of(study.study)
    best, others, paper = forest(table, Axis.OVERALL, span(table))["data"]
    assert {place for place, (_, cell) in enumerate(table.column(Axis.OVERALL)) if cell.bold} == set(
        best["y"]
    )
    assert best["marker"]["symbol"] != others["marker"]["symbol"] != paper["marker"]["symbol"]
    assert paper["x"][7] == 3.6


def test_labels_are_text_in_at_most_two_lines(rated_study) -> None:
    study = rated_study(models=["<i>&", "x" * 100, "MT Single-Skills +BST fine-tuning"])
    table = report_of(study.study)
    labels = forest(table, Axis.OVERALL, span(table))["layout"]["yaxis"]["ticktext"]
    assert labels[0] == "&lt;i&gt;&amp;"
    assert labels[1].count("<br>") == 1 and labels[1].endswith("…")
    assert labels[2] == "MT Single-Skills<br>+BST fine-tuning"
