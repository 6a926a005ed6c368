"""The whole analysis as one value: each part is that of its own module."""

from __future__ import annotations

import numpy as np
import pytest

from analysis.errors import UnknownAxis
from analysis.inference import Analysis, Source, analyse
from analysis.reading.ratings_frame import RatingsFrame
from analysis.statistics import best, contrasts, mixed, within
from analysis.statistics.covariates import Covariates, Factor, Number, Regression, covariate_effects
from analysis.statistics.interval_methods import IntervalOptions, Method
from analysis.statistics.means import Scale
from analysis.tables.table7 import table7
from tests.analysis.rating_files import drawn_rows, frame_of

SOURCE = Source("a file", collected_elsewhere=True)
FRAME = frame_of(drawn_rows())


def analysed(frame: RatingsFrame = FRAME, **given: object) -> Analysis:
    options = given.pop("options", IntervalOptions())
    return analyse(frame, SOURCE, options, **given)


def test_its_parts_are_those_of_their_own_modules() -> None:
    found, sums = analysed(), FRAME.table()
    fitted = mixed.fit(sums)
    assert found.table == table7(FRAME)
    np.testing.assert_array_equal(found.best.high, best.compare_with_best(fitted).high)
    np.testing.assert_array_equal(found.of_pairs.estimate, mixed.differences(fitted).estimate)
    np.testing.assert_array_equal(found.of_pairs_clustered.error, contrasts.cr2(sums).error)
    np.testing.assert_array_equal(found.of_pairs_within.estimate, within.differences(sums).estimate)


def test_the_level_reaches_every_interval() -> None:
    wide, narrow = analysed(), analysed(options=IntervalOptions(level=0.5))
    assert narrow.table.rows[0].cells[0].low > wide.table.rows[0].cells[0].low
    assert (narrow.best.high < wide.best.high).any() and (narrow.shares.low > wide.shares.low).all()
    assert (narrow.adjusted.interval.low > wide.adjusted.interval.low).all()
    assert narrow.alpha == 0.5 and narrow.outlooks[0].detectable < wide.outlooks[0].detectable


def test_another_way_and_another_scale_reach_the_table() -> None:
    options = IntervalOptions(Method.T, Scale(0, 10))
    assert analysed(options=options).table == table7(FRAME, options)
    assert analysed(options=options).outlooks[0].goals[0].difference == pytest.approx(0.75)


def test_the_answer_is_about_the_overall_axis_unless_another_is_named() -> None:
    other = frame_of(drawn_rows(axes=("wit", "style")))
    assert (analysed().main, analysed(main="empathy").main) == ("overall", "empathy")
    assert analysed(other).main == "style"
    with pytest.raises(UnknownAxis, match="no axis 'charm'; rated are empathy, overall"):
        analysed(main="charm")


def test_covariates_are_fitted_an_axis_at_a_time_with_their_own_ratings() -> None:
    turns = Number("turns", "one more", np.arange(len(FRAME.score)) % 7.0)
    (found, _) = analysed(covariates=[turns]).covariates
    chosen = FRAME.axis == 0
    own = Number("turns", "one more", turns.value[chosen])
    expected = covariate_effects(FRAME.score[chosen], FRAME.model[chosen], FRAME.worker[chosen], [own], 3)
    assert isinstance(found, Covariates) and found.effects == expected.effects


@pytest.mark.parametrize("missing", [0, 7])
def test_axes_that_were_rated_together_share_a_regression_and_others_do_not(
    missing: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = []
    of = Regression.of
    monkeypatch.setattr(Regression, "of", lambda *given: made.append(given) or of(*given))
    rows = drawn_rows(axes=("empathy", "personal", "overall"))
    frame = frame_of(row for place, row in enumerate(rows) if row[3] != "empathy" or place >= 3 * missing)
    turns = Number("turns", "one more", frame.talk % 7.0)
    found = analysed(frame, covariates=[turns]).covariates
    assert len(made) == (2 if missing else 1)
    for axis, fitted in enumerate(found):
        chosen = frame.axis == axis
        parts = (part[chosen] for part in (frame.score, frame.model, frame.worker))
        expected = covariate_effects(*parts, [Number("turns", "one more", turns.value[chosen])], 3)
        assert fitted.effects == expected.effects and fitted.ratings == chosen.sum()
    assert found[1].effects != found[2].effects


def test_a_covariate_that_tells_models_is_refused_in_words_and_nothing_else_is() -> None:
    same = Factor("context", ("a", "b", "c"), FRAME.model)
    found = analysed(covariates=[same])
    assert all(isinstance(each, str) and "leave something out" in each for each in found.covariates)
    unknown = Number("turns", "one more", np.full(len(FRAME.score), np.nan))
    assert analysed(covariates=[unknown]).covariates == ("nothing but ratings is known",) * 2


def test_exclusions_are_tables_of_what_is_left() -> None:
    left = FRAME.without({"w1", "w2"})
    (found,) = analysed(without={"speed": left}).left_out
    assert (found.rule, found.workers, found.talks) == ("speed", 2, FRAME.talks - left.talks)
    assert found.table == table7(left)


def test_it_tells_what_it_is_at() -> None:
    heard: list[str] = []
    analysed(tell=heard.append)
    assert heard[0] == "means" and len(heard) == len(set(heard)) == 6
