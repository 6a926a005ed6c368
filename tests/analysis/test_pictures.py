"""Pictures with long names, many models and other scales: every word can be read, and every figure is right."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from analysis.exports.pictures import Picture, as_svg, pictures
from analysis.exports.svg import drawn
from analysis.inference import Source, analyse
from analysis.statistics.interval_methods import IntervalOptions
from analysis.statistics.means import Scale
from analysis.writeup.document import Matrix
from analysis.writeup.report import written
from tests.analysis.rating_files import drawn_rows, frame_of
from tests.chromium import open_chromium

MANY = [f"organisation/checkpoint-of-a-large-model-with-a-long-name-{number:02d}" for number in range(25)]
ODD = ["W" * 60, "<b>&\"'%$_#{}\\~^", "多語言對話模型版本" * 7, "🤖 with 👩‍👩‍👧‍👦", "m" * 61]
LONG_AXIS = "How much would you like to talk with this partner again, if you had the time and nothing else"


def made(
    models: list[str], axes: tuple[str, ...] = ("overall",), scale: Scale | None = None, talks: int = 200
) -> tuple[Picture, ...]:
    """Pictures of drawn ratings, stretched from 1 to 5 over another scale."""
    scale = scale or Scale(1, 5)
    rows = [
        (*names, scale.low + (rating - 1) / 4 * scale.width)
        for *names, rating in drawn_rows(talks, models=models, axes=axes)
    ]
    analysis = analyse(frame_of(rows), Source("ratings.csv", True), IntervalOptions(scale=scale))
    return pictures(written(analysis))


CASES = {
    "many": (MANY, ("overall",), None),
    "odd": (ODD, ("overall",), None),
    "to_hundred": (["Ape", "Bee"], ("overall",), Scale(0, 100)),
    "below_zero": (["Ape", "Bee"], ("overall",), Scale(-3, 3)),
    "long_axis": (["Ape", "Bee"], (LONG_AXIS,), None),
}
#: Texts that leave the picture, and pairs that lie on one another by more than a unit.
FAULTS = """() => {
  const whole = document.querySelector('svg').getBoundingClientRect();
  const texts = [...document.querySelectorAll('svg text')]
    .map(text => ({words: text.textContent, box: text.getBoundingClientRect()}));
  const {width, height} = whole;
  const outside = texts.filter(({box}) => box.left < -1 || box.right > width + 1 || box.bottom > height + 1);
  const pairs = texts.flatMap((one, k) => texts.slice(k + 1).filter(other =>
    Math.min(one.box.right, other.box.right) - Math.max(one.box.left, other.box.left) > 1 &&
    Math.min(one.box.bottom, other.box.bottom) - Math.max(one.box.top, other.box.top) > 4
  ).map(other => `${one.words} / ${other.words}`));
  return [...outside.map(({words}) => words), ...pairs];
}"""


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with open_chromium() as browser:
        yield browser


@pytest.mark.browser
@pytest.mark.parametrize("case", CASES)
def test_no_words_leave_a_picture_or_lie_on_others(chromium: Browser, case: str) -> None:
    page = chromium.new_page()
    for each in made(*CASES[case]):
        page.set_content(f"<!doctype html><style>body {{ margin: 0 }}</style>{as_svg(each)}")
        assert page.evaluate(FAULTS) == [], each.name


def test_cells_without_room_for_figures_keep_their_stars() -> None:
    (matrix,) = [each.figure for each in made(MANY, talks=1500) if isinstance(each.figure, Matrix)]
    stars = re.findall(r'class="sure">([^<]*)<', "".join(drawn(matrix).elements))
    assert len(stars) == sum(map(sum, matrix.sure)) > 0 and set(stars) == {"*"}


def test_axes_with_long_names_have_files_that_can_be_written() -> None:
    names = [
        each.name
        for each in made(["Ape", "Bee"], (f"{LONG_AXIS} {LONG_AXIS} 1", f"{LONG_AXIS} {LONG_AXIS} 2"))
    ]
    assert len(set(names)) == len(names) == 10
    assert max(map(len, names)) < 100
