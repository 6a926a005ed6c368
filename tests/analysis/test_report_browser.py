"""The report in a real browser: plotly draws under the content policy, in both themes, by itself."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client

from tests.analysis.rated_studies import make_study
from tests.chromium import open_chromium

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
        page.locator(".canvas[data-axis=overall] .point").first.wait_for()
        yield page


def at_home(address: str, site: str) -> bool:
    return address.startswith((site, "data:", "blob:"))


def signs(page: Any) -> int:
    return page.locator(".canvas[data-axis=overall] .point").count()


def test_every_model_is_drawn_on_every_axis(report: Any) -> None:
    for axis in ("knowledge", "empathy", "personal", "overall"):
        # Three models, and the paper's means of the two that it has.
        assert report.locator(f".canvas[data-axis={axis}] .point").count() == 5
    assert "<i>ED</i>" in report.locator(".canvas[data-axis=overall] .ytick").all_text_contents()
    assert report.wrong == []


def test_hovering_tells_the_figures(report: Any) -> None:
    canvas = report.locator(".canvas[data-axis=overall]")
    canvas.scroll_into_view_if_needed()
    point = canvas.locator(".point").first.bounding_box()
    for step in range(-20, 8, 4):
        report.mouse.move(point["x"] + step, point["y"] + 6)
    hover = canvas.locator(".hovertext")
    hover.wait_for()
    assert "25 ratings by" in hover.text_content()
    assert report.wrong == []


def test_the_papers_means_can_be_put_away(report: Any) -> None:
    report.locator("[data-paper]").uncheck()
    report.wait_for_timeout(200)
    assert signs(report) == 3
    report.locator("[data-paper]").check()
    report.wait_for_timeout(200)
    assert signs(report) == 5


def test_the_plots_follow_the_theme(report: Any) -> None:
    backdrop = report.locator(".canvas[data-axis=overall] .main-svg").first
    light = backdrop.evaluate("element => getComputedStyle(element).backgroundColor")
    report.locator("[data-theme-control] select").select_option("dark")
    report.wait_for_timeout(300)
    dark = backdrop.evaluate("element => getComputedStyle(element).backgroundColor")
    card = report.locator(".card").first.evaluate("element => getComputedStyle(element).backgroundColor")
    assert light == "rgb(255, 255, 255)" and dark != light
    assert card != light
    assert report.wrong == []


def test_every_button_of_a_plot_works_and_none_leads_away(report: Any) -> None:
    canvas = report.locator(".canvas[data-axis=overall]")
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
