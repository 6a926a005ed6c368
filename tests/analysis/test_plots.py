"""Where things stand in the pictures."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from analysis.plots import plotly_figure
from analysis.plots.cells import MARK_WIDTH, Span, mark, span
from analysis.plots.key import key
from analysis.report import analysis_of_study, report_of
from analysis.statistics.interval_methods import IntervalOptions
from analysis.writeup.document import Figure
from analysis.writeup.report import written
from analysis.writeup.wording import signed
from ratings.axes import Axis
from tests.analysis.rated_studies import RatedStudy


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


# --- Figures for plotly -------------------------------------------------------------------------------------


def figures(study: RatedStudy, section: str) -> list[Figure]:
    analysis = analysis_of_study(study.study, None, IntervalOptions())
    return list(next(each for each in written(analysis).sections if each.name == section).figures)


def drawn(study: RatedStudy, section: str) -> dict[str, Any]:
    """What plotly draws of the last axis."""
    return plotly_figure(figures(study, section)[-1])


def test_a_forest_draws_each_model_once_with_its_interval(rated_study) -> None:
    study = rated_study()
    study.fill(25)
    intervals = {
        place: (x - minus, x, x + plus)
        for trace in drawn(study, "means")["data"]
        if "error_x" in trace
        for place, x, plus, minus in zip(
            trace["y"], trace["x"], trace["error_x"]["array"], trace["error_x"]["arrayminus"], strict=True
        )
    }
    cells = [cell for _, cell in report_of(study.study).column(Axis.OVERALL)]
    assert sorted(intervals) == list(range(8))
    for place, cell in enumerate(cells):
        assert intervals[place] == pytest.approx((cell.low, cell.mean, cell.high), abs=1e-9)


def test_bold_models_are_another_trace_with_another_shape(rated_study) -> None:
    study = rated_study()
    study.fill(25)
    best, others, paper = drawn(study, "means")["data"]
    column = report_of(study.study).column(Axis.OVERALL)
    assert {place for place, (_, cell) in enumerate(column) if cell.bold} == set(best["y"])
    assert best["marker"]["symbol"] != others["marker"]["symbol"] != paper["marker"]["symbol"]
    assert paper["x"][7] == 3.6


def test_labels_are_text_in_at_most_three_lines(rated_study) -> None:
    study = rated_study(models=["<i>&", "x" * 99 + "y", "MT Single-Skills +BST fine-tuning"])
    study.fill(6)
    labels = drawn(study, "means")["layout"]["yaxis"]["ticktext"]
    assert labels[0] == "&lt;i&gt;&amp;"
    assert labels[1].count("<br>") == 2 and "…" in labels[1] and labels[1].endswith("y")
    assert labels[2] == "MT Single-Skills<br>+BST fine-tuning"


def test_bars_of_a_model_fill_the_axis_in_the_order_of_ratings(rated_study) -> None:
    study = rated_study()
    study.fill(25)
    traces = drawn(study, "distributions")["data"]
    assert [trace["name"] for trace in traces] == ["1", "2", "3", "4", "5"]
    assert [sum(trace["x"][model] for trace in traces) for model in range(8)] == pytest.approx([1] * 8)
    strengths = [trace["meta"]["strength"] for trace in traces]
    assert strengths == sorted(strengths) and strengths[-1] == 1


def test_a_matrix_is_its_own_mirror_with_signs_turned(rated_study) -> None:
    study = rated_study(models=["WoW", "ED", "BST"])
    study.fill(25)
    (trace,) = drawn(study, "differences")["data"]
    cells = [(row, column) for row in range(3) for column in range(3) if row != column]
    assert all(trace["z"][row][column] == -trace["z"][column][row] for row, column in cells)
    assert all(trace["z"][place][place] is None and not trace["text"][place][place] for place in range(3))
    assert all(
        trace["text"][row][column].rstrip("*") == signed(trace["z"][row][column]) for row, column in cells
    )
    assert trace["z"][0][2] < 0 < trace["z"][2][0]  # later models are rated higher
    assert trace["customdata"][0][2].startswith("WoW −<br>BST<br>−")
    stars = [trace["text"][row][column].endswith("*") for row, column in cells]
    assert stars == [trace["text"][column][row].endswith("*") for row, column in cells]


def test_a_histogram_counts_every_worker_where_they_are(rated_study) -> None:
    study = rated_study()
    study.fill(25)
    (trace,) = drawn(study, "workers")["data"]
    assert sum(trace["y"]) == report_of(study.study).workers == 30
    analysis = analysis_of_study(study.study, None, IntervalOptions())
    effects = analysis.leniency.effect[:, -1]
    for middle, width, many in zip(trace["x"], trace["width"], trace["y"], strict=True):
        inside = (effects >= middle - width / 2) & (effects < middle + width / 2)
        assert inside.sum() == many


def test_a_power_curve_rises_through_the_wanted_power_where_the_table_says(rated_study) -> None:
    study = rated_study()
    study.fill(25)
    wanted, now, one, every = drawn(study, "planning")["data"]
    outlook = analysis_of_study(study.study, None, IntervalOptions()).outlooks[-1]
    assert wanted["y"] == [0.8, 0.8] and now["x"] == [25, 25]
    for line, needed in ((one, outlook.goals[0].needed), (every, outlook.goals[0].needed_all)):
        assert line["y"] == sorted(line["y"])
        assert np.interp(needed, line["x"], line["y"]) == pytest.approx(0.8, abs=0.01)


def test_two_models_have_one_curve(rated_study) -> None:
    study = rated_study(models=["WoW", "ED"])
    study.fill(25)
    assert [trace["name"] for trace in drawn(study, "planning")["data"]][2:] == ["one pair"]


def test_each_kind_of_chart_has_a_key_of_its_signs(rated_study) -> None:
    study = rated_study()
    study.fill(25)
    words = {
        name: [sign.words for sign in key(figures(study, name)[-1])]
        for name in ("means", "distributions", "differences", "workers", "planning")
    }
    assert words["means"] == ["within the best model’s interval", "other models", "the paper’s means"]
    assert words["distributions"] == ["1", "2", "3", "4", "5"] and words["workers"] == []
    assert words["differences"][-1] == "Tukey’s p is small"
    assert words["planning"] == ["one pair", "all pairs", "80 % power", "now"]
