"""The plan's pages in a real browser: the curve under the content policy, in both themes, and every width."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client

from analysis.planning import looks
from chat import studies
from tests.analysis.planned_studies import adopt, draft, hold
from tests.chromium import open_chromium

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
#: Every state of the pages is kept as a picture here, when it is set.
PICTURES = os.environ.get("COLLOQUY_PICTURES", "")


@pytest.fixture
def made(transactional_db: None) -> None:
    """A draft, and a study whose plan is answered; the database cannot be asked once a browser is open."""
    draft(["ConvAI2", "WoW", "ED"])
    rated = draft(["ConvAI2", "WoW", "ED"], slug="answered")
    plan = adopt(rated, on_stop="close")
    studies.open_study(rated.study)
    hold(rated, plan.due_at(1), [3, 3, 3])
    looks.take_due(rated.study)
    hold(rated, plan.due_at(2) - plan.due_at(1), [2, 2.5, 4.9])
    looks.take_due(rated.study)


@pytest.fixture
def page(made: None, live_server: Any) -> Iterator[Any]:
    """A researcher's page; ``page.wrong`` collects console messages and requests that leave the site."""
    client = Client()
    client.force_login(User.objects.create_user("researcher", is_staff=True))
    session = client.cookies[settings.SESSION_COOKIE_NAME].value
    with open_chromium() as browser:
        context = browser.new_context(viewport={"width": 1280, "height": 900}, color_scheme="light")
        context.add_cookies(
            [{"name": settings.SESSION_COOKIE_NAME, "value": session, "url": live_server.url}]
        )
        page = context.new_page()
        page.site, page.wrong = live_server.url, []
        page.on("console", lambda message: page.wrong.append(message.text))
        page.on("pageerror", lambda error: page.wrong.append(str(error)))
        page.on(
            "request",
            lambda request: (
                None if request.url.startswith((live_server.url, "data:")) else page.wrong.append(request.url)
            ),
        )
        yield page


def look(page: Any, name: str) -> None:
    """Nothing that axe minds and no sideways scroll, light and dark, wide and narrow."""
    for width in (1280, 360):
        page.set_viewport_size({"width": width, "height": 800})
        for theme in ("light", "dark"):
            page.emulate_media(color_scheme=theme, reduced_motion="reduce")
            page.wait_for_timeout(150)
            found = Axe().run(page).response["violations"]
            assert not [(each["id"], [node["html"] for node in each["nodes"]]) for each in found]
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
            if PICTURES:
                page.wait_for_timeout(300)
                page.screenshot(path=Path(PICTURES) / f"{name}-{theme}-{width}.png", full_page=True)


#: As wide as charts.js draws one alone: within a page of A4 or Letter.
PAPER_ALONE_PX = 640


def bring_curve(page: Any) -> None:
    """The power curve is drawn when it comes into the window."""
    page.locator(".canvas").scroll_into_view_if_needed()
    page.locator(".canvas .js-line").first.wait_for(state="attached")


def test_a_scenario_is_planned_and_drawn(page: Any) -> None:
    page.goto(f"{page.site}/planning/")
    page.get_by_label("Models (that are compared)").fill("8")
    page.get_by_label("Looks (with the one at the end)").fill("5")
    page.get_by_label("Pay for a talk").fill("1.5")
    page.get_by_label("Talks a day").fill("120")
    page.get_by_role("button", name="Plan", exact=True).click()
    bring_curve(page)
    assert page.locator("#comes-to").text_content().startswith("303 talks of each of 8 models")
    assert page.locator(".canvas .scatterlayer .trace").count() == 3
    look(page, "planning")
    assert page.wrong == []


def test_the_curve_fills_a_page_of_paper_and_comes_back(page: Any) -> None:
    page.goto(f"{page.site}/planning/")
    bring_curve(page)
    width = "document.querySelector('.canvas .main-svg').getBoundingClientRect().width"
    before = page.evaluate(width)
    page.evaluate(f"addEventListener('beforeprint', () => {{ window.width = {width} }})")
    page.pdf()
    assert page.evaluate("window.width") == PAPER_ALONE_PX
    page.wait_for_function(f"{width} === {before}")


def test_what_is_impossible_is_told_beside_its_field(page: Any) -> None:
    page.goto(f"{page.site}/planning/?power=2&difference=x")
    assert page.title().startswith("Error: ")
    page.get_by_role("link", name="The power is 2").or_(
        page.get_by_role("link", name="is no number")
    ).first.click()
    assert page.locator(":focus").get_attribute("name") in ("power", "difference")
    look(page, "planning-refused")
    assert [text for text in page.wrong if "400" not in text] == []


def test_a_draft_adopts_the_plan_that_it_is_shown(page: Any) -> None:
    page.goto(f"{page.site}/studies/planned/plan/?looks=4&difference=0.6")
    page.get_by_label("When a look answers the question").select_option("close")
    page.get_by_label("Why").fill("Six tenths would change what we use.")
    bring_curve(page)
    look(page, "plan-draft")
    page.get_by_role("button", name="Adopt this plan").click()
    page.get_by_text("Version 1 was adopted.").wait_for()
    assert page.locator("h1").text_content().startswith("No look was taken yet; look 1 comes with ")
    assert "closes itself" in page.locator("main").text_content()
    assert page.wrong == []


def test_a_study_shows_its_plan_its_looks_and_limits_for_now(page: Any) -> None:
    page.goto(f"{page.site}/studies/answered/plan/")
    bring_curve(page)
    assert "Look 2 answered the question: ED is the best." in page.locator("h1").text_content()
    assert page.get_by_role("heading", name="If you look now").is_visible()
    look(page, "plan-answered")
    assert page.wrong == []
