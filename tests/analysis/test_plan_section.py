"""What a study's report says of its plan, its looks, and limits for whoever looks at any time."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from analysis.planning import looks
from analysis.reading.ratings_frame import Population
from analysis.remembered import state_of
from analysis.report import analysis_of_study
from analysis.statistics.interval_methods import IntervalOptions
from analysis.statistics.sequential import Shape, mixture_bounds, spending_bounds
from analysis.writeup.document import Document, Section
from analysis.writeup.report import written
from tests.analysis.planned_studies import hold, planned
from tests.analysis.rated_studies import RatedStudy

pytestmark = pytest.mark.django_db


def section(rated: RatedStudy) -> Section:
    document: Document = written(analysis_of_study(rated.study, None, IntervalOptions()))
    return next(each for each in document.sections if each.name == "looks")


def lines(found: Section, name: str) -> list[dict[str, object]]:
    table = next(each for each in found.tables if each.name == name)
    return [dict(zip(table.columns, row, strict=True)) for row in table.rows]


def grid(found: Section, title: str) -> list[tuple[str, ...]]:
    shown = next(each for each in found.grids if each.title.startswith(title))
    return [tuple(field.text for field in row) for row in shown.rows]


def test_a_plan_is_told_as_it_was_adopted() -> None:
    rated, plan = planned(on_stop="close")
    hold(rated, 3, [3, 4])
    first, standing, *_ = section(rated).words
    assert "Adopted before the study opened" in first and "Which model is the best?" in first
    assert f"with {plan.talks_per_arm} talks of each of 2 models" in first
    assert "close the study: no further talk begins" in first
    assert standing == f"No look was taken yet; look 1 comes with {plan.due_at(1)} talks of each model."


def test_looks_stand_with_their_limits_and_what_they_decided() -> None:
    rated, plan = planned(on_stop="close")
    hold(rated, plan.due_at(1), [3, 3])
    looks.take_due(rated.study)
    hold(rated, plan.due_at(2) - plan.due_at(1), [1.5, 4.6])
    taken = looks.take_due(rated.study)
    found = section(rated)
    assert taken and taken.closed_study
    assert "Look 2 answered the question: WoW is the best. The study closed itself." in found.words
    rows = grid(found, "Looks")
    assert [row[0] for row in rows] == ["1", "2", "3", "4"]
    assert rows[1][3:] == (
        str(taken.smallest),
        f"{taken.limit:.3f}",
        f"{abs(taken.pairs[0]['z']):.3f}",
        "answered",
    )
    assert rows[2][2:] == ("–",) * 5
    first, second = lines(found, "looks")
    assert (first["decided"], second["decided"], second["closed_study"]) == (0, -1, True)
    assert second["data_sha256"] == taken.data_sha256


def reach(rated: RatedStudy, limit: float) -> list[float]:
    """How far limits reach with Student's t that is as unlikely as a normal score of this size, by pair."""
    found = analysis_of_study(rated.study, None, IntervalOptions()).of_pairs_clustered
    return list(stats.t.isf(stats.norm.sf(limit), found.df[:, -1]) * found.error[:, -1])


def test_limits_for_any_time_are_the_mixtures_and_wider_than_the_reports() -> None:
    rated, plan = planned()
    hold(rated, 30, [3, 4])
    [row] = lines(section(rated), "at_any_time")
    limit = mixture_bounds(np.array([30 / plan.talks_per_arm]))[0]
    assert [row["high"] - row["difference"]] == pytest.approx(reach(rated, limit))
    assert row["difference"] - row["low"] == pytest.approx(row["high"] - row["difference"])
    shown = analysis_of_study(rated.study, None, IntervalOptions()).of_pairs.interval(0.95)
    assert row["low"] < shown.low[0, -1] and shown.high[0, -1] < row["high"]


def test_limits_for_any_time_share_the_error_rate_over_all_pairs() -> None:
    rated, plan = planned(["a", "b", "c"])
    hold(rated, 20, [3, 4, 4])
    rows = lines(section(rated), "at_any_time")
    limit = mixture_bounds(np.array([20 / plan.talks_per_arm]), alpha=0.05 / 3)[0]
    assert [row["high"] - row["difference"] for row in rows] == pytest.approx(reach(rated, limit))


def test_with_the_first_talks_limits_for_any_time_are_those_of_the_scale() -> None:
    rated, plan = planned(["a", "b"], difference=0.02)
    hold(rated, 3, [3, 4])
    found = section(rated)
    [row] = lines(found, "at_any_time")
    assert plan.talks_per_arm > 50_000
    assert (row["low"], row["high"], row["differs"]) == (-4, 4, False)
    assert any(
        f"with 3 of the {plan.talks_per_arm:,} planned talks of each model" in words for words in found.words
    )


def test_limits_for_any_time_claim_no_more_than_they_are() -> None:
    shares, any_time = np.arange(1, 6) / 5, mixture_bounds(np.arange(1, 6) / 5)
    planned_looks = [spending_bounds(shape, shares) for shape in Shape]
    assert all(limits[-1] < any_time[-1] for limits in planned_looks)
    assert any_time[0] < spending_bounds(Shape.OBRIEN_FLEMING, shares)[0]
    rated, _ = planned()
    hold(rated, 3, [3, 4])
    assert (
        section(rated)
        .words[-1]
        .endswith("at the end O’Brien-Fleming’s and Pocock’s limits for planned looks are narrower.")
    )


def test_a_study_without_a_plan_is_told_what_looking_costs(rated_study) -> None:
    rated = rated_study(models=["a", "b"])
    hold(rated, 20, [3, 4])
    found = section(rated)
    assert "adopted no plan" in found.words[0]
    assert len(lines(found, "at_any_time")) == 1 and not lines(found, "looks")


def test_without_ratings_nothing_is_told_of_any_time() -> None:
    rated, _ = planned()
    found = section(rated)
    assert found.missing == ("Every model needs a rated talk before limits for any time can be told.",)
    assert not lines(found, "at_any_time")


def test_a_remembered_report_is_no_longer_the_last_word_once_a_look_is_taken() -> None:
    rated, plan = planned()
    hold(rated, plan.due_at(1), [3, 3])
    before = state_of(rated.study, Population.PEOPLE)
    looks.take_due(rated.study)
    assert state_of(rated.study, Population.PEOPLE) != before
