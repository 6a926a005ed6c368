"""Table 7 and what its headline dares to say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from analysis.errors import UnknownStudy
from analysis.reading.frames import Population
from analysis.report import report_of, study_named
from analysis.statistics.interval_methods import IntervalOptions, Method
from analysis.statistics.means import Gap
from analysis.tables.headline import CHECKED_FROM, Headline, headline
from analysis.tables.paper import table7_mean
from analysis.tables.table7 import Cell
from tests.analysis.rated_studies import EIGHT, RatedStudy


def says(study: RatedStudy) -> Headline:
    return headline(report_of(study.study))


def rate(study: RatedStudy, model: int, overall: Sequence[int]) -> None:
    """A talk of a worker of its own for each overall rating."""
    for number, score in enumerate(overall):
        study.talk(f"worker {number}", model, [3, 3, 3, score])


def test_a_row_for_each_arm_with_the_papers_mean_beside_it(rated_study) -> None:
    study = rated_study()
    study.fill(4)
    table = report_of(study.study)
    assert [row.model for row in table.rows] == list(EIGHT)
    assert [cell.axis for cell in table.rows[0].cells] == ["knowledge", "empathy", "personal", "overall"]
    assert [cell.paper for cell in table.rows[7].cells] == [3.7, 3.8, 3.2, 3.6]
    assert {row.talks for row in table.rows} == {4}


def test_a_model_that_the_paper_does_not_have_gets_no_figure_of_it(rated_study) -> None:
    table = report_of(rated_study(models=["My own", "WoW"]).study)
    assert [row.cell("overall").paper for row in table.rows] == [None, 2.6]
    assert table7_mean("wow", "overall") is None


def test_means_and_intervals_are_those_of_the_ratings(rated_study) -> None:
    # The two ratings worked out by hand in test_means: 3 and 5 by two workers.
    study = rated_study(models=["ED", "WoW"])
    rate(study, 0, [3, 5])
    cell = report_of(study.study).rows[0].cell("overall")
    assert (cell.n, cell.workers, cell.mean) == (2, 2, 4)
    assert (cell.low, cell.high) == pytest.approx((1.0411, 4.9954), abs=1e-3)


def test_cells_without_an_interval_say_why(rated_study) -> None:
    study = rated_study(models=["ED", "WoW", "BST"])
    study.talk("ann", 0, [1, 2, 3, 4])
    study.talk("ann", 1, [1, 2, 3, 4])
    study.talk("ann", 1, [1, 2, 3, 4])
    cells = [row.cell("overall") for row in report_of(study.study).rows]
    assert [cell.gap for cell in cells] == [Gap.ONE_RATING, Gap.ONE_WORKER, Gap.NO_RATINGS]
    assert [cell.low for cell in cells] == [None, None, None]
    assert all(cell.why for cell in cells)


def test_bold_is_the_papers_rule(rated_study) -> None:
    study = rated_study(models=["Best", "Near", "Far"])
    rate(study, 0, [4, 5] * 6)
    rate(study, 1, [4] * 10 + [5] * 2)
    rate(study, 2, [1, 2] * 6)
    assert [row.cell("overall").bold for row in report_of(study.study).rows] == [True, True, False]


def test_no_ratings_is_said_plainly(rated_study) -> None:
    assert says(rated_study()).title == "No ratings yet"


def test_too_few_ratings_name_the_models_that_lack_them(rated_study) -> None:
    study = rated_study(models=["ED", "WoW", "BST"])
    rate(study, 0, [3, 4])
    rate(study, 1, [3])
    said = says(study)
    assert said.title == "Too few ratings to compare the models"
    assert said.detail.startswith("WoW and BST have no interval on overall quality yet.")


def test_a_leader_that_others_reach_leads_not_clearly(rated_study) -> None:
    study = rated_study(models=["Best", "Near", "Far"])
    rate(study, 0, [4, 5] * 15)
    rate(study, 1, [4] * 18 + [5] * 12)
    rate(study, 2, [1, 2] * 15)
    said = says(study)
    assert said.title == "Best leads overall, but not clearly"
    assert "1 other model's mean is within the interval of Best" in said.detail


def test_a_leader_that_nobody_reaches_leads(rated_study) -> None:
    study = rated_study(models=["Far", "Best"])
    rate(study, 0, [1, 2] * 15)
    rate(study, 1, [4, 5] * 15)
    said = says(study)
    assert said.title == "Best leads overall"
    assert said.detail == "4.50 (4.28–4.66) against 1.50 (1.34–1.72) for Far: " + (
        "no other model's mean reaches the interval of Best."
    )


def test_means_and_limits_below_zero_are_written_with_a_minus() -> None:
    cell = Cell("overall", 9, 3, -0.001, -0.314, 0.6, False, None, Gap.NONE)
    assert (cell.mean_text, cell.interval_text) == ("0.00", "−0.31 to 0.60")
    assert replace(cell, mean=-1.0, low=-0.001, high=0.6).interval_text == "0.00 to 0.60"
    assert replace(cell, low=1.0, high=2.0).interval_text == "1.00–2.00"


def test_a_bootstrap_without_spread_is_not_called_too_few_ratings(rated_study) -> None:
    study = rated_study(models=["One", "Other"])
    rate(study, 0, [3] * 20)
    rate(study, 1, [3, 4] * 10)
    found = headline(report_of(study.study, options=IntervalOptions(Method.BOOTSTRAP, replicates=50)))
    assert found.title == "These intervals do not compare the models"
    assert found.detail.startswith("One has no interval on overall quality: whichever workers are drawn")


def test_equal_means_share_the_lead(rated_study) -> None:
    study = rated_study(models=["One", "Other"])
    rate(study, 0, [3, 4] * 15)
    rate(study, 1, [4, 3] * 15)
    assert says(study).title == "One and Other share the highest mean overall"


def test_where_everybody_is_near_nobody_leads(rated_study) -> None:
    study = rated_study(models=["A", "B", "C"])
    rate(study, 0, [1, 5] * 15)
    rate(study, 1, [1, 5] * 14 + [5, 5])
    rate(study, 2, [1, 5] * 14 + [4, 5])
    said = says(study)
    assert said.title == "No model stands out overall"
    assert said.detail.startswith("B has 3.13")


@pytest.mark.parametrize(("talks", "early"), [(CHECKED_FROM - 1, True), (CHECKED_FROM, False)])
def test_few_talks_a_model_are_called_early(rated_study, talks: int, early: bool) -> None:
    study = rated_study(models=["Far", "Best"])
    rate(study, 0, ([1, 2] * talks)[:talks])
    rate(study, 1, ([4, 5] * talks)[:talks])
    said = says(study)
    assert said.title == ("Best leads overall so far" if early else "Best leads overall")
    assert ("Early figures: Far has 19 talks" in said.detail) is early


def test_simulated_data_says_so_before_anything_else(rated_study) -> None:
    study = rated_study()
    study.fill(20, simulated=True)
    assert says(study).title.startswith("Simulated data: ")
    assert headline(report_of(study.study, Population.PEOPLE)).title == "No ratings yet"


def test_an_unknown_study_names_those_there_are(rated_study) -> None:
    rated_study("first")
    with pytest.raises(UnknownStudy, match=r"no study 'second'\. Studies here: first\."):
        study_named("second")
