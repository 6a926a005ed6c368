"""Agreement on talks that several workers rated, and what a report says of it."""

from __future__ import annotations

import numpy as np
import pytest

from analysis.inference import Source, analyse
from analysis.statistics import agreement
from analysis.statistics.agreement import Metric, NoAgreement, krippendorff_alpha
from analysis.statistics.interval_methods import IntervalOptions
from analysis.statistics.overlap import overlap
from analysis.writeup.document import Section
from analysis.writeup.report import written
from tests.analysis.rating_files import Row, drawn_rows, frame_of


def section(rows: list[Row]) -> Section:
    found = analyse(frame_of(rows), Source("a file", collected_elsewhere=True), IntervalOptions())
    return next(each for each in written(found).sections if each.name == "workers")


def rated_again(rows: list[Row], talks: int, apart: int = 0) -> list[Row]:
    """Another worker rates the first talks too, on one axis ``apart`` points away."""
    first = [row for row in rows if int(row[2][1:]) < talks]
    return [
        *rows,
        *(
            ("again", m, t, a, min(max(s + (apart if a == "overall" else 0), 1), 5))
            for _, m, t, a, s in first
        ),
    ]


def test_only_talks_with_several_raters_count() -> None:
    # By hand: units (1, 1), (2, 2), (1, 2): observed 1/3 of pairs apart; margins 3 and 3, expected 18/30.
    worker = np.array([0, 1, 0, 1, 0, 2, 0, 0])
    talk = np.array([0, 0, 1, 1, 2, 2, 3, 4])
    score = np.array([1.0, 1, 2, 2, 1, 2, 5, 5])
    found = overlap(worker, talk, talk * 0, score, 1)
    assert (found.talks, found.workers) == (3, 3)
    alpha = found.alphas[0][Metric.INTERVAL]
    assert (alpha.units, alpha.judgements, alpha.value) == (3, 6, pytest.approx(1 - (1 / 3) / (18 / 30)))


def test_each_axis_has_its_own() -> None:
    found = frame_of(rated_again(drawn_rows(), 40, apart=2))
    alphas = overlap(found.worker, found.talk, found.axis, found.score, 2).alphas
    empathy, overall = (each[Metric.ORDINAL].value for each in alphas)
    assert empathy == pytest.approx(1) and overall < 0.5


def test_a_report_shows_alpha_with_limits_where_there_is_an_overlap() -> None:
    found = section(rated_again(drawn_rows(), 40, apart=1))
    grid = next(grid for grid in found.grids if "alpha" in grid.title)
    assert [row[0].text for row in grid.rows] == [
        "Ordinal distances",
        "Interval distances",
        "Talks with several raters",
    ]
    assert grid.rows[0][1].text == "1.00" and " to " in grid.rows[0][2].aside
    assert [field.text for field in grid.rows[2][1:]] == ["40", "40"]
    assert any(words.startswith("40 talks were rated by several workers") for words in found.words)
    table = next(table for table in found.tables if table.name == "agreement")
    assert [row[:2] for row in table.rows] == [
        (axis, metric) for axis in ("empathy", "overall") for metric in ("ordinal", "interval")
    ]
    assert table.rows[0][5:] == (40, 80, "")


def test_a_report_says_why_there_is_no_alpha() -> None:
    found = section(drawn_rows())
    assert not any("alpha" in grid.title for grid in found.grids)
    assert any("every talk was rated by one" in words for words in found.words)
    table = next(table for table in found.tables if table.name == "agreement")
    assert {row[2:] for row in table.rows} == {
        (None, None, None, 0, 0, "no talk was rated by several workers")
    }


def test_a_single_shared_talk_has_no_limits_and_says_so() -> None:
    words = " ".join(section(rated_again(drawn_rows(), 1, apart=1)).words)
    assert "1 talk was rated by several workers" in words
    assert "Empathy: all of these ratings are the same" in words
    assert "Overall quality: a single talk has no limits" in words


def test_many_units_are_drawn_by_kind_with_the_same_coefficient_and_like_limits(monkeypatch) -> None:
    draw = np.random.default_rng(1)
    level = draw.integers(0, 5, 400)
    judged = np.clip(level[:, None] + draw.integers(-1, 2, (400, 3)), 0, 4)
    counts = agreement.value_counts(np.repeat(np.arange(400), 3), judged.ravel(), 400, 5)
    each = krippendorff_alpha(counts, Metric.ORDINAL)
    monkeypatch.setattr(agreement, "MANY_UNITS", 100)
    kinds = krippendorff_alpha(counts, Metric.ORDINAL)
    assert kinds.value == pytest.approx(each.value, abs=1e-12)
    assert (kinds.low, kinds.high) == pytest.approx((each.low, each.high), abs=0.005)
    assert (kinds.units, kinds.judgements) == (400, 1200)


def test_ratings_of_too_many_kinds_are_not_paired(monkeypatch) -> None:
    monkeypatch.setattr(agreement, "MOST_COINCIDENCES", 20)
    found = krippendorff_alpha(np.eye(3)[[0, 1, 2]] + 1, Metric.INTERVAL)
    assert found.why is NoAgreement.TOO_MANY_VALUES and np.isnan(found.value)
