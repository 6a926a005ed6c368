"""What reports dare to say, and how figures are written."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from analysis.inference import Analysis, Source, analyse
from analysis.reading.ratings_frame import Population
from analysis.statistics.covariates import Factor, Number
from analysis.statistics.interval_methods import IntervalOptions, Method
from analysis.statistics.means import Scale
from analysis.writeup import wording
from analysis.writeup.document import Document, Forest, Grid, Matrix, Section, Table
from analysis.writeup.report import written
from tests.analysis.rating_files import Row, drawn_rows, frame_of

SOURCE = Source("a file", collected_elsewhere=True)
MODELS = ("Ape", "Bee", "Cat")


def rated(**scores: list[int]) -> list[Row]:
    """Overall ratings by model; the k-th of each is by worker k."""
    return [
        (f"w{k}", model, f"{model}{k}", "overall", score)
        for model, given in scores.items()
        for k, score in enumerate(given)
    ]


def analysed(rows: list[Row], **given: object) -> Analysis:
    options = given.pop("options", IntervalOptions())
    return analyse(frame_of(rows), SOURCE, options, **given)


def document(rows: list[Row], **given: object) -> Document:
    return written(analysed(rows, **given))


def section(name: str, found: Document) -> Section:
    return next(section for section in found.sections if section.name == name)


def lines(table: Table) -> list[dict[str, object]]:
    return [dict(zip(table.columns, row, strict=True)) for row in table.rows]


# --- The answer ---------------------------------------------------------------------------------------------

CLEAR = rated(Far=[1, 2] * 15, Best=[4, 4, 5, 5, 4, 5] * 5)
NEAR = rated(Ape=[3, 4, 5] * 10, Bee=[4, 4, 4] * 9 + [5, 4, 4], Cat=[1, 2, 2] * 10)


def test_a_clear_best_is_called_the_best_with_its_lead_and_no_more_talks_for_it() -> None:
    answer = document(CLEAR).answer
    assert answer.title == "Best is the best on overall quality"
    assert answer.sentences[0].startswith("Best has a mean of 4.50 (4.28–4.66).")
    assert (
        "it is 3.00 points above Far, the next" in answer.sentences[0] and "p < .001" in answer.sentences[0]
    )
    assert answer.sentences[1] == "With 95 % confidence no other model is better."
    assert not [words for words in answer.sentences if "seen between" in words]


def test_a_best_that_is_not_told_apart_over_all_pairs_is_said_to_be_so() -> None:
    even = {name: [1, 2, 3, 4, 5] * 8 for name in ("Bee", "Cat", "Dog", "Eel", "Fox")}
    answer = document(
        rated(Ape=[5, 3, 4, 5, 2] * 8, **{n: s[k:] + s[:k] for k, (n, s) in enumerate(even.items())})
    ).answer
    assert answer.title == "Ape is the best on overall quality"
    assert answer.sentences[1] == (
        "With 95 % confidence no other model is better. This asks which is the best and no more: with every pair "
        "compared, in both directions, it is not told apart from Bee."
    )


def test_two_that_are_near_are_both_named_and_the_third_is_ruled_out() -> None:
    answer = document(NEAR).answer
    assert answer.title == "The best on overall quality is Bee or Ape"
    assert "it is 0.03 points above Ape, the next: 95 % limits over all pairs −" in answer.sentences[0]
    assert answer.sentences[1] == "With 95 % confidence the best is among Bee and Ape."
    assert any(
        "To find the one seen between these two with power 80 %" in words for words in answer.sentences
    )


def test_two_of_the_same_height_are_level() -> None:
    rows = drawn_rows(models=["Ape"], axes=["overall"])
    rows += [(row[0], "Bee", f"b{place}", "overall", row[4]) for place, row in enumerate(reversed(rows))]
    answer = document(rows).answer
    assert "allowed for it is level with" in answer.sentences[0]
    assert not [words for words in answer.sentences if "seen between" in words]


def test_where_none_is_ruled_out_none_is_called_the_best() -> None:
    answer = document(rated(Ape=[1, 5] * 15, Bee=[1, 1, 5, 5, 1, 5] * 5)).answer
    assert answer.title == "No model is shown to be the best on overall quality"
    assert (
        answer.sentences[1] == "At 95 % confidence these ratings rule none of the 2 models out as the best."
    )


def test_where_differences_cannot_be_tested_the_highest_mean_is_told_and_why_no_more() -> None:
    answer = document(rated(Far=[1, 2] * 15, Best=[4, 5] * 15)).answer
    assert answer.title == "Best has the highest mean on overall quality"
    assert answer.sentences == (
        "Best has a mean of 4.50 (4.28–4.66), Far one of 1.50 (1.34–1.72).",
        "Their difference is not tested: no variance is left to compare with.",
    )


def test_models_of_one_mean_are_not_told_apart() -> None:
    even = [2, 3] * 15
    assert (
        document(rated(Ape=even, Bee=even)).answer.title
        == "Ape and Bee have the same mean on overall quality"
    )
    three = document(rated(Ape=even, Bee=[1, 2] * 15, Cat=even)).answer
    assert three.title == "Ape and Cat have the highest mean on overall quality"


def test_a_single_model_with_one_rating_lacks_both() -> None:
    sentences = document(rated(Ape=[3])).answer.sentences
    assert "Ape has no interval" in sentences[0] and sentences[1] == "There is only one model."


def test_more_talks_are_those_of_the_plan() -> None:
    found = analysed(NEAR)
    goal = found.outlooks[0].goals[0]
    words = f"takes {goal.needed_all} talks of each model, {goal.needed_all - 30} more than there are."
    assert goal.needed_all > 30
    assert any(sentence.endswith(words) for sentence in written(found).answer.sentences)


def test_a_lead_that_lenient_workers_gave_is_called_so() -> None:
    hard, soft = [1, 2] * 6, [4, 5] * 6
    rows = [(f"h{k}", "Good", f"a{k}", "overall", s + 1) for k, s in enumerate(hard)]
    rows += [(f"h{k}", "Poor", f"b{k}", "overall", s) for k, s in enumerate(hard[:3])]
    rows += [(f"s{k}", "Poor", f"c{k}", "overall", s) for k, s in enumerate(soft)]
    rows += [(f"s{k}", "Good", f"d{k}", "overall", min(s + 1, 5)) for k, s in enumerate(soft[:3])]
    answer = document(rows).answer
    assert "it is" in answer.sentences[0] and answer.sentences[0].startswith("Good has a mean")
    assert any("that of Poor" in words and "more lenient" in words for words in answer.sentences)


def test_few_talks_are_called_early_and_models_without_an_interval_named() -> None:
    sentences = document(rated(Ape=[1, 2, 2], Bee=[4, 5, 4], Cat=[3])).answer.sentences
    assert "Cat is not compared. An interval takes ratings by at least two workers." in sentences
    assert any(words.startswith("Early figures: Bee has 3 talks") for words in sentences)


def test_a_model_that_one_worker_rated_is_never_the_best() -> None:
    rows = drawn_rows(models=["Ape", "Bee"], axes=["overall"])
    rows += [("w1", "Cat", f"x{k}", "overall", 5) for k in range(40)]
    found = analysed(rows)
    answer = written(found).answer
    assert not answer.title.startswith("Cat") and "Cat has a mean" not in answer.sentences[0]
    assert "Cat is not compared. An interval takes ratings by at least two workers." in answer.sentences
    assert found.outlooks[0].models == 2 and found.outlooks[0].have == 45
    difference = lines(section("differences", written(found)).tables[0])[1]
    assert (difference["second"], difference["p_tukey"]) == ("Cat", None)
    assert difference["note"] == "one worker gave all ratings that would tell"


def test_models_with_the_same_mean_share_it() -> None:
    answer = document(rated(Ape=[3] * 9, Bee=[3] * 9, Cat=[2] * 9, Dog=[5])).answer
    assert answer.title == "Ape and Bee have the highest mean on overall quality"
    assert answer.sentences[-1].startswith("Dog is not compared.")


def test_where_a_bootstrap_has_no_spread_models_are_compared_all_the_same() -> None:
    options = IntervalOptions(Method.BOOTSTRAP, replicates=50)
    answer = document(rated(Ape=[3] * 9, Bee=[1, 2, 3] * 3), options=options).answer
    assert answer.title == "Ape is the best on overall quality"
    assert "whichever workers are drawn, the mean is the same" in answer.sentences[0]
    alike = document(rated(Ape=[3] * 9, Bee=[2] * 9), options=options).answer
    assert alike.title == "Ape has the highest mean on overall quality"


def test_pairs_without_a_common_worker_are_told() -> None:
    words = "rated by the same workers: what they differ by is theirs only where models were dealt at random."
    apart = [(f"{row[0]} {row[1]}", *row[1:]) for row in drawn_rows()]
    assert f"No two models were {words}" in document(apart).answer.sentences
    some = [(f"{row[0]} {row[1] == 'Cat'}", *row[1:]) for row in drawn_rows()]
    assert f"Some pairs of models were not {words}" in document(some).answer.sentences
    assert not [said for said in document(drawn_rows()).answer.sentences if "same workers" in said]


def test_another_axis_is_called_by_its_name() -> None:
    rows = [(*row[:3], "charm", row[4]) for row in CLEAR]
    assert document(rows).answer.title == "Best is the best on charm"


def test_simulated_ratings_warn_before_anything_else() -> None:
    frame = replace(frame_of(CLEAR), population=Population.SIMULATED)
    found = written(analyse(frame, Source("study", collected_elsewhere=False), IntervalOptions()))
    assert found.warning.startswith("Simulated data: programs held these talks")
    assert document(CLEAR).warning == ""


# --- Sections -----------------------------------------------------------------------------------------------


def test_means_hold_each_cell_with_what_can_be_the_best() -> None:
    found = analysed(drawn_rows())
    rows = lines(section("means", written(found)).tables[0])
    assert [(row["model"], row["axis"]) for row in rows[:3]] == [
        ("Ape", "empathy"),
        ("Ape", "overall"),
        ("Bee", "empathy"),
    ]
    assert [row["possible_best"] for row in rows] == found.best.possible.ravel().tolist()
    assert rows[4]["low"] == found.table.rows[2].cells[0].low


def test_a_cell_without_variance_says_what_its_interval_rests_on() -> None:
    found = section("means", document(rated(Ape=[3, 3, 3], Bee=[2, 4, 4])))
    assert found.missing[0].startswith("Ape, Overall quality: all workers agree: the number of workers")


@pytest.mark.parametrize(
    ("method", "alike", "varied"),
    [
        (Method.CR2_T, "all workers agree: there is no variance between them", True),
        (Method.T, "all ratings are the same: there is no variance", False),
    ],
)
def test_workers_who_agree_may_vary_each(method: Method, alike: str, varied: bool) -> None:
    rows = rated(Ape=[3, 3, 3]) + [(f"w{k // 2}", "Bee", f"b{k}", "overall", 3 + k % 2) for k in range(6)]
    found = section("means", document(rows, options=IntervalOptions(method)))
    assert found.missing == tuple(
        f"{model}, Overall quality: {alike}." for model in ("Ape", "Bee")[: 1 + varied]
    )


def test_a_limit_just_above_zero_is_not_shown_as_zero() -> None:
    found = analysed(drawn_rows())
    found.best.high[:, 0], found.best.possible[:, 0] = (0, 0.0031, 0.2), (False, True, True)
    grid = section("best", written(found)).grids[0]
    assert [row[1].text.split(" to ")[1] for row in grid.rows] == ["0.00", "0.0031", "0.20"]
    assert [row[1].strong for row in grid.rows] == [False, True, True]


@pytest.mark.parametrize("method", Method)
def test_the_method_says_its_name(method: Method) -> None:
    words = section("means", document(NEAR, options=IntervalOptions(method, replicates=60))).words
    expected = {
        Method.WILSON_CR2: "95 % Wilson score intervals",
        Method.T: "95 % Student's t intervals",
        Method.CR2_T: "95 % t intervals",
        Method.BOOTSTRAP: "95 % percentile intervals of a bootstrap over workers (60 draws, seed 0)",
    }
    assert expected[method] in words[0] and words[0].startswith("On a scale of 1 to 5.")


def test_forests_share_a_part_of_the_scale_and_stay_on_it() -> None:
    plots = section("means", document(drawn_rows())).figures
    assert all(isinstance(plot, Forest) for plot in plots)
    assert len({(plot.low, plot.high) for plot in plots}) == 1
    assert all(plot.low <= each.low and each.high <= plot.high for plot in plots for each in plot.intervals)


def test_differences_come_in_three_ways_with_both_corrections() -> None:
    found = analysed(drawn_rows())
    row = lines(section("differences", written(found)).tables[0])[4]
    assert (row["axis"], row["first"], row["second"]) == ("overall", "Ape", "Cat")
    assert row["estimate"] == found.of_pairs.estimate[1, 1]
    assert row["p_tukey"] == found.of_pairs.tukey_p()[1, 1]
    assert row["low_tukey"] < row["low"] < row["high"] < row["high_tukey"]
    assert row["p"] <= row["p_holm"] and row["clustered_error"] == found.of_pairs_clustered.error[1, 1]
    assert row["within_estimate"] == found.of_pairs_within.estimate[1, 1]


def test_a_matrix_is_turned_at_its_diagonal() -> None:
    (_, plot) = section("differences", document(drawn_rows(talks=300))).figures
    assert isinstance(plot, Matrix) and plot.values[0][0] is None
    assert plot.values[0][2] == -plot.values[2][0] < 0
    assert plot.sure[0][2] and plot.sure[2][0]


def test_ratings_that_are_tied_to_leniency_are_found_out() -> None:
    """Lenient workers met Ape, hard ones Bee, and a few met both and saw no difference."""
    rows = [(f"h{k}", "Bee", f"a{k}", "overall", 1 + k % 2) for k in range(40)]
    rows += [(f"s{k}", "Ape", f"b{k}", "overall", 4 + k % 2) for k in range(40)]
    rows += [(f"m{k}", m, f"{m}{k}", "overall", 3 + k % 2) for k in range(6) for m in ("Ape", "Bee")]
    rows += [("m9", "Ape", "x1", "overall", 3), ("m9", "Bee", "x2", "overall", 4)]
    rows += [("m8", "Ape", "x3", "overall", 4), ("m8", "Bee", "x4", "overall", 3)]
    assert "in 1 of 1 comparisons" in section("differences", document(rows)).words[1]
    assert "in 0 of 6 comparisons" in section("differences", document(drawn_rows(talks=300))).words[1]


def test_what_is_to_be_expected_of_chance_is_a_whole_number_above_none() -> None:
    words = section("differences", document(drawn_rows())).words[1]
    assert words.endswith(
        "of 6 comparisons; where models were dealt at random 1 or fewer are to be expected."
    )


def test_covariates_are_told_axis_by_axis() -> None:
    rows = drawn_rows()
    turns = Number("turns", "one more", np.arange(len(rows)) % 5.0)
    found = section("covariates", document(rows, covariates=[turns]))
    assert [(row["axis"], row["covariate"], row["ratings"]) for row in lines(found.tables[0])] == [
        ("empathy", "turns", 90),
        ("overall", "turns", 90),
    ]
    assert not found.missing and section("covariates", document(rows)).missing


def test_an_effect_is_told_against_its_baseline() -> None:
    rows = drawn_rows(axes=["overall"])
    context = Factor("context", ("convai2", "wow", "ed"), np.arange(len(rows)) % 7 % 2 + 1)
    found = section("covariates", document(rows, covariates=[context]))
    assert [row[1].text for row in found.grids[0].rows] == [
        "context: convai2 against wow",
        "context: ed against wow",
    ]
    assert [row["note"] for row in lines(found.tables[0])] == ["the same throughout", ""]


def test_exclusions_tell_the_mean_that_moves_most_and_what_bold_does() -> None:
    rows = rated(Ape=[4, 5] * 10, Bee=[1, 2] * 10) + [
        (f"fake{k}", "Bee", f"fake{k}", "overall", 5) for k in range(100)
    ]
    frame = frame_of(rows)
    without = {"fakes": frame.without({f"fake{k}" for k in range(100)})}
    found = section("exclusions", written(analyse(frame, SOURCE, IntervalOptions(), without=without)))
    (line,) = found.grids[0].rows
    assert [shown.text for shown in line] == [
        "fakes",
        "100",
        "100",
        "−2.92",
        "Bee, Overall quality: no longer bold",
    ]
    table = lines(found.tables[0])
    assert [row["rule"] for row in table] == ["nobody left out"] * 2 + ["fakes"] * 2
    assert table[3]["shift"] == pytest.approx(1.5 - (30 + 500) / 120) and table[3]["bold_changed"]


def test_every_grid_is_as_wide_as_its_head() -> None:
    rows = drawn_rows()
    turns = Number("turns", "one more", np.arange(len(rows)) % 5.0)
    frame = frame_of(rows)
    whole = analyse(
        frame, SOURCE, IntervalOptions(), covariates=[turns], without={"a": frame.without({"w1"})}
    )
    grids: list[Grid] = [grid for part in written(whole).sections for grid in part.grids]
    assert len(grids) > 10
    assert all(len(row) == len(grid.head) for grid in grids for row in grid.rows)


def test_facts_tell_how_the_report_was_made() -> None:
    options = IntervalOptions(Method.BOOTSTRAP, Scale(0, 10), seed=7, replicates=60)
    facts = {name: value for name, _, value in document(NEAR, options=options).facts}
    assert (facts["method"], facts["seed"], facts["replicates"], facts["scale_high"]) == (
        "bootstrap",
        7,
        60,
        10,
    )
    assert (facts["collected"], facts["talks"], facts["workers"]) == ("elsewhere", 90, 30)
    assert facts["exclusions"] == "none given" and str(facts["code_version"]).startswith("0.1+")


# --- Words --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written_as", "expected"),
    [
        (wording.figure(-0.204), "−0.20"),
        (wording.figure(-0.001), "0.00"),
        (wording.figure(float("nan")), "–"),
        (wording.signed(0.3), "+0.30"),
        (wording.signed(-0.3), "−0.30"),
        (wording.signed(0.004), "0.00"),
        (wording.p_value(0.0214), ".021"),
        (wording.p_value(0.0498), ".0498"),
        (wording.p_value(0.049999), ".0499"),
        (wording.p_value(0.05), ".050"),
        (wording.p_value(0.0002), "< .001"),
        (wording.p_value(0.9996), "> .999"),
        (wording.p_phrase(0.0002), "p < .001"),
        (wording.p_phrase(0.5), "p = .500"),
        (wording.span(-0.1, 0.3), "−0.10 to 0.30"),
        (wording.exact(0.3), "0.30"),
        (wording.exact(0.075), "0.075"),
        (wording.exact(7.5), "7.50"),
        (wording.span(float("nan"), 1), ""),
        (wording.span_apart(0.003, 0.5), "0.0030 to 0.5000"),
        (wording.span_apart(-0.5, -0.001), "−0.5000 to −0.0010"),
        (wording.span_apart(-0.003, 0.5), "0.00 to 0.50"),
        (wording.percent(0.1234), "12.3 %"),
        (wording.counted(1, "talk"), "1 talk"),
        (wording.counted(1200, "talk"), "1,200 talks"),
        (wording.listed(["A"]), "A"),
        (wording.listed(["A", "B", "C"], last="or"), "A, B or C"),
        (wording.listed(list("ABCDEF")), "A, B, C, D and 2 more"),
    ],
)
def test_figures_are_written_so(written_as: str, expected: str) -> None:
    assert written_as == expected
