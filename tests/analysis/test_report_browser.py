"""The report in a real browser: plotly draws under the content policy, in both themes, by itself."""

from __future__ import annotations

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.utils import timezone
from playwright.sync_api import expect

from chat.models import Participation
from tests.analysis.rated_studies import make_study
from tests.chromium import open_chromium

OVERALL = "means-overall-quality"
pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def report(live_server: Any) -> Iterator[Any]:
    """The page of a study with ratings; ``page.wrong`` collects console messages and requests that leave the site."""
    study = make_study(models=["<i>ED</i>", "WoW", "BST"])
    study.fill(25)
    client = Client()
    client.force_login(User.objects.create_user("researcher", is_staff=True))
    cookie = {
        "name": settings.SESSION_COOKIE_NAME,
        "value": client.cookies[settings.SESSION_COOKIE_NAME].value,
        "url": live_server.url,
    }
    with open_chromium() as browser:
        context = browser.new_context(viewport={"width": 1280, "height": 900}, color_scheme="light")
        context.add_cookies([cookie])
        page = context.new_page()
        page.wrong = []
        page.on("console", lambda message: page.wrong.append(message.text))
        page.on("pageerror", lambda error: page.wrong.append(str(error)))
        page.on(
            "request",
            lambda request: None if at_home(request.url, live_server.url) else page.wrong.append(request.url),
        )
        page.goto(f"{live_server.url}/studies/table7/report/")
        brought(page, OVERALL).locator(".point").first.wait_for()
        yield page


def at_home(address: str, site: str) -> bool:
    return address.startswith((site, "data:", "blob:"))


def brought(page: Any, name: str) -> Any:
    """The canvas of a figure, after it has come into the window."""
    canvas = page.locator(f".canvas[data-figure={name}]")
    canvas.scroll_into_view_if_needed()
    return canvas


def test_every_model_is_drawn_on_every_axis(report: Any) -> None:
    for axis in ("knowledge", "empathy", "personal", "overall-quality"):
        points = brought(report, f"means-{axis}").locator(".point")
        points.first.wait_for()
        # Three models, and the paper's means of the two that it has.
        assert points.count() == 5
    assert "<i>ED</i>" in brought(report, OVERALL).locator(".ytick").all_text_contents()
    assert report.wrong == []


@pytest.mark.parametrize(
    ("section", "signs", "many"),
    [
        ("differences", ".hm image", 1),
        ("distributions", ".point", 15),
        ("workers", ".point", 1),
        ("planning", ".js-line", 4),
    ],
)
def test_every_kind_of_chart_is_drawn_when_it_comes_near(
    report: Any, section: str, signs: str, many: int
) -> None:
    assert report.locator(f".canvas[data-figure={section}-overall-quality] .main-svg").count() == 0
    drawn = brought(report, f"{section}-overall-quality").locator(signs)
    drawn.first.wait_for(state="attached")
    assert drawn.count() >= many
    assert report.wrong == []


def test_a_chart_takes_the_room_that_was_kept_for_it(report: Any) -> None:
    canvases = report.locator(".canvas")
    before = [canvas.bounding_box()["height"] for canvas in canvases.all()]
    for canvas in canvases.all():
        canvas.scroll_into_view_if_needed()
        canvas.locator(".main-svg").first.wait_for()
    after = [canvas.bounding_box()["height"] for canvas in canvases.all()]
    assert len(before) == 20 and after == pytest.approx(before, abs=1)


def test_hovering_tells_the_figures(report: Any) -> None:
    canvas = brought(report, OVERALL)
    point = canvas.locator(".point").first.bounding_box()
    for step in range(-20, 8, 4):
        report.mouse.move(point["x"] + step, point["y"] + 6)
    hover = canvas.locator(".hovertext")
    hover.wait_for()
    assert "25 ratings by" in hover.text_content()
    assert report.wrong == []


def test_the_papers_means_can_be_put_away_from_the_keyboard(report: Any) -> None:
    for link, points in (("Hide the paper’s means", 3), ("Show the paper’s means", 5)):
        report.get_by_role("link", name=link).focus()
        report.keyboard.press("Enter")
        report.wait_for_url("**#means")
        canvas = brought(report, OVERALL)
        canvas.locator(".point").first.wait_for()
        assert canvas.locator(".point").count() == points


def test_a_choice_analyses_anew_and_stays_in_the_address(report: Any) -> None:
    report.get_by_text("Analysed with").click()
    report.locator("select[name=method]").select_option("t")
    report.get_by_role("button", name="Analyse").click()
    report.wait_for_url("**method=t**")
    assert "Student's t intervals" in report.locator("#means").inner_text()
    assert report.locator("select[name=method]").input_value() == "t"


def test_the_plots_follow_the_theme(report: Any) -> None:
    backdrop, card = brought(report, OVERALL).locator(".main-svg").first, report.locator(".card").first
    white = "rgb(255, 255, 255)"
    expect(backdrop).to_have_css("background-color", white)
    report.locator("[data-theme-control] select").select_option("dark")
    for each in (backdrop, card):
        expect(each).not_to_have_css("background-color", white)
    assert report.wrong == []


def test_every_button_of_a_plot_works_and_none_leads_away(report: Any) -> None:
    canvas = brought(report, OVERALL)
    canvas.hover()
    buttons = canvas.locator(".modebar-btn")
    assert [each.get_attribute("data-title") for each in buttons.all()] == [
        "Zoom in",
        "Zoom out",
        "Pan",
        "Reset axes",
    ]
    for each in buttons.all():
        each.click()
    canvas.dblclick()
    report.wait_for_timeout(300)
    assert report.wrong == []


def exclude_everybody() -> None:
    Participation.objects.update(excluded_at=timezone.now())
    connection.close()


def test_a_page_that_is_no_longer_the_last_word_says_so(report: Any) -> None:
    report.locator("#stale").wait_for(state="hidden")
    with ThreadPoolExecutor() as others:  # beside Playwright's loop, which Django's database calls refuse
        others.submit(exclude_everybody).result()
    report.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    report.get_by_role("link", name="Analyse again").click()
    report.get_by_role("heading", name="There are no ratings yet").wait_for()
    assert report.wrong == []


def test_without_scripts_charts_are_pictures(live_server: Any, report: Any) -> None:
    context = report.context.browser.new_context(java_script_enabled=False)
    context.add_cookies(report.context.cookies())
    page = context.new_page()
    page.goto(f"{live_server.url}/studies/table7/report/")
    picture = page.locator(".canvas img").first
    picture.scroll_into_view_if_needed()
    assert page.locator(".canvas img").count() == 20
    assert picture.bounding_box()["height"] > 100
    assert "the figures are in the table" in picture.get_attribute("alt")


# --- Paper, forced colours, phones --------------------------------------------------------------------------

#: Colours of all that is written or drawn in a chart's frame.
INKS = (
    "[...document.querySelectorAll('.canvas .ytick text, .canvas .xtick text')].map(each => each.style.fill)"
)
#: The width of a page of A4 within its margins.
PAPER_PX = 718


def light(colour: str) -> bool:
    return sum(map(int, re.findall(r"\d+", colour)[:3])) > 3 * 128


def test_a_dark_page_prints_dark_on_white(report: Any) -> None:
    report.locator("[data-theme-control] select").select_option("dark")
    brought(report, OVERALL).locator(".point").first.wait_for()
    report.evaluate(f"addEventListener('beforeprint', () => {{ window.inks = {INKS} }})")
    report.pdf()
    inks = report.evaluate("window.inks")
    assert len(inks) > 100 and not any(map(light, inks))
    assert all(map(light, report.evaluate(INKS)))
    report.emulate_media(media="print")
    assert not light(report.evaluate("getComputedStyle(document.querySelector('h1')).color"))
    assert report.wrong == []


def test_table_7_fits_on_paper(report: Any) -> None:
    report.set_viewport_size({"width": PAPER_PX, "height": 1000})
    report.emulate_media(media="print")
    last = report.locator(".t7 td").last.bounding_box()
    card = report.locator("#means").bounding_box()
    assert last["x"] + last["width"] <= card["x"] + card["width"]


def test_charts_fit_on_paper_two_beside_each_other_and_come_back(report: Any) -> None:
    width = "document.querySelector('.canvas .main-svg').getBoundingClientRect().width"
    before = report.evaluate(width)
    report.evaluate(f"addEventListener('beforeprint', () => {{ window.width = {width} }})")
    report.pdf()
    assert report.evaluate("window.width") * 2 < PAPER_PX - 60
    report.wait_for_function(f"{width} === {before}")


def test_charts_can_be_seen_where_colours_are_forced(report: Any) -> None:
    report.emulate_media(forced_colors="active")
    report.reload()
    brought(report, OVERALL).locator(".point").first.wait_for()
    backdrop = report.locator(f".canvas[data-figure={OVERALL}] .main-svg").first
    assert light(backdrop.evaluate("element => getComputedStyle(element).backgroundColor"))
    lines = report.evaluate(
        "[...document.querySelectorAll('.canvas .point path, .canvas path.point')].map(each => each.style.stroke)"
    )
    assert len(set(lines)) > 1 and not any(map(light, lines))
    assert report.wrong == []


def make_clear_study() -> None:
    study = make_study(slug="clear", models=["Low", "High"])
    for worker in range(12):
        study.talk(f"worker {worker}", 0, [1 + worker % 2] * 4)
        study.talk(f"worker {worker}", 1, [5 - worker % 3] * 4)
    connection.close()


def test_a_narrow_matrix_keeps_its_stars(report: Any, live_server: Any) -> None:
    with ThreadPoolExecutor() as others:
        others.submit(make_clear_study).result()
    report.set_viewport_size({"width": 240, "height": 800})
    report.goto(f"{live_server.url}/studies/clear/report/")
    canvas = brought(report, "differences-overall-quality")
    canvas.locator(".hm image").wait_for(state="attached")
    told = canvas.locator(".heatmap-label").all_text_contents()
    assert [words for words in told if words] == ["*", "*"]


def test_shares_on_a_phone_have_level_ticks(report: Any) -> None:
    report.set_viewport_size({"width": 360, "height": 800})
    report.reload()
    canvas = brought(report, "distributions-overall-quality")
    canvas.locator(".xtick text").first.wait_for()
    ticks = canvas.locator(".xtick text")
    assert ticks.all_text_contents() == ["0 %", "50 %", "100 %"]
    assert not any(re.search(r"rotate\([^0]", tick.get_attribute("transform")) for tick in ticks.all())


def test_without_scripts_no_room_is_kept_for_charts(live_server: Any, report: Any) -> None:
    context = report.context.browser.new_context(java_script_enabled=False)
    context.add_cookies(report.context.cookies())
    page = context.new_page()
    page.goto(f"{live_server.url}/studies/table7/report/")
    assert not page.locator(".canvas .room").first.is_visible()


def make_long_named_study() -> None:
    make_study(slug="long", models=["W" * 60, "organisation/checkpoint-" * 3, "ED"]).fill(6)
    connection.close()


def test_long_names_leave_room_for_figures(report: Any, live_server: Any) -> None:
    with ThreadPoolExecutor() as others:
        others.submit(make_long_named_study).result()
    report.goto(f"{live_server.url}/studies/long/report/")
    report.get_by_text("The figures as a table").click()
    regions = report.locator("#means .scroll, #best .scroll")
    assert regions.count() == 3
    for region in regions.all():
        assert region.evaluate("element => element.scrollWidth - element.clientWidth") == 0
