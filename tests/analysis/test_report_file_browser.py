"""The report's page in a real browser, opened as a file: it fetches nothing, fits, follows the theme and prints."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from analysis.exports.report_html import render
from analysis.inference import Source, analyse
from analysis.statistics.interval_methods import IntervalOptions
from analysis.writeup.report import written
from tests.analysis.rating_files import drawn_rows, frame_of
from tests.chromium import open_chromium

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with open_chromium() as browser:
        yield browser


def written_to(folder: Path, models: list[str]) -> str:
    """The address of a report on drawn ratings of models."""
    rows = drawn_rows(models=models)
    analysis = analyse(frame_of(rows), Source("ratings.csv", True), IntervalOptions())
    path = folder / "report.html"
    path.write_text(render(written(analysis)))
    return path.as_uri()


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> str:
    names = ["Ape", "Bee", '<img src="http://other.example/x.png">', "A_name_without_any_end_at_all" * 2]
    return written_to(tmp_path_factory.mktemp("report"), names)


def opened(chromium: Browser, address: str, width: int, scheme: str) -> tuple[Page, list[str]]:
    page = chromium.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
    wrong: list[str] = []
    page.on("console", lambda message: wrong.append(message.text))
    page.on("request", lambda request: wrong.append(request.url) if request.url != address else None)
    page.goto(address)
    return page, wrong


@pytest.mark.parametrize("width", [1280, 360])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fetches_nothing_and_fits(chromium: Browser, address: str, width: int, scheme: str) -> None:
    page, wrong = opened(chromium, address, width, scheme)
    assert wrong == []
    assert page.evaluate("document.documentElement.scrollWidth") == width
    assert page.locator("svg").count() == 10 and page.locator("svg circle").first.is_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_minds_nothing_with_every_table_open(chromium: Browser, address: str, scheme: str) -> None:
    page, _ = opened(chromium, address, 360, scheme)
    page.evaluate("document.querySelectorAll('details').forEach(each => { each.open = true })")
    found = Axe().run(page).response["violations"]
    assert [(each["id"], [node["html"] for node in each["nodes"]]) for each in found] == []


@pytest.mark.parametrize("width", [1280, 360])
def test_the_first_screen_answers(chromium: Browser, tmp_path: Path, width: int) -> None:
    page, _ = opened(chromium, written_to(tmp_path, ["BST", "Random skill", "WoW"]), width, "light")
    last = page.locator(".answer dd").last.bounding_box()
    assert page.locator(".answer dt").count() >= 3 and last["y"] + last["height"] <= 900


LINES = """element => {
  const range = document.createRange();
  range.selectNodeContents(element);
  return new Set([...range.getClientRects()].map(box => Math.round(box.bottom))).size;
}"""


def test_a_long_name_leaves_room_for_figures(chromium: Browser, address: str) -> None:
    page, _ = opened(chromium, address, 768, "light")
    assert page.evaluate("(e => e.scrollWidth - e.clientWidth)(document.querySelector('.scroll'))") == 0
    figures = page.locator("#best td").all()
    assert figures and {each.evaluate(LINES) for each in figures} == {1}


#: Luminance contrast of a text with what is drawn behind it, from one pixel of each (WCAG 2.2, 1.4.3).
CONTRASTS = """() => {
  const context = document.createElement('canvas').getContext('2d', {willReadFrequently: true});
  const pixel = () => [...context.getImageData(0, 0, 1, 1).data].slice(0, 3);
  const paint = (colour, alpha) => {
    context.globalAlpha = alpha; context.fillStyle = colour; context.fillRect(0, 0, 1, 1);
  };
  const light = rgb => rgb.map(v => v / 255).map(v => v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4)
    .reduce((sum, v, k) => sum + v * [.2126, .7152, .0722][k], 0);
  const page = getComputedStyle(document.documentElement).backgroundColor;
  return [...document.querySelectorAll('rect.above, rect.below')].map(rect => {
    paint(page, 1); paint(getComputedStyle(rect).fill, +rect.getAttribute('fill-opacity'));
    const behind = light(pixel());
    paint(getComputedStyle(rect.nextElementSibling).fill, 1);
    const [low, high] = [behind, light(pixel())].sort((a, b) => a - b);
    return (high + .05) / (low + .05);
  });
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_figures_in_coloured_cells_can_be_read(chromium: Browser, address: str, scheme: str) -> None:
    page, _ = opened(chromium, address, 1280, scheme)
    page.evaluate(
        "document.querySelectorAll('rect.above, rect.below').forEach(r => r.setAttribute('fill-opacity', .45))"
    )
    contrasts = page.evaluate(CONTRASTS)
    assert len(contrasts) == 24 and min(contrasts) >= 4.5


def test_it_prints_dark_on_white_without_contents(chromium: Browser, address: str) -> None:
    page, _ = opened(chromium, address, 1280, "dark")
    page.emulate_media(media="print", color_scheme="dark")
    assert page.evaluate("getComputedStyle(document.documentElement).backgroundColor") == "rgb(255, 255, 255)"
    assert not page.locator("nav").is_visible()
    assert page.locator("details table").count() == 6 == page.locator("details:not([open])").count()
    assert all(table.is_visible() for table in page.locator("details table").all())
    assert page.pdf().startswith(b"%PDF")
