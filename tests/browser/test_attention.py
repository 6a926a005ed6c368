"""The rating page with an attention item among the questions, as a person meets it in a browser."""

from __future__ import annotations

import re
from collections.abc import Callable

from playwright.sync_api import expect

from tests.browser.tab import LINES, Tab
from tests.browser.test_crawl import LOOKS, WIDTHS
from tests.site.running import Site

ANSWER = "SELECT asked, given FROM ratings_attentionanswer WHERE conversation_id = ?"


def to_the_questions(tab: Tab) -> str:
    """A talk of the shortest kind, up to its questions; its id."""
    tab.consent("attentive")
    talk = tab.start()
    for line in LINES[:2]:
        tab.say(line)
    tab.button("Finish and rate").click()
    tab.page.wait_for_url("**/rate/")
    return talk.replace("-", "")


def test_a_person_answers_it_like_the_others(open_tab: Callable[..., Tab], site: Site) -> None:
    tab = open_tab()
    talk = to_the_questions(tab)
    item = tab.page.get_by_role("group", name=re.compile("please choose"))
    number = re.findall(r"choose (\d)", item.locator("legend").inner_text())[0]
    told = tab.page.locator("#answered")
    expect(told).to_have_text("None of five answered")
    item.get_by_role("radio", name=re.compile(f"^{number}")).check()
    expect(told).to_have_text("One of five answered")
    axes = [group for group in tab.page.get_by_role("group").all() if "choose" not in group.inner_text()]
    for axis in axes:
        axis.get_by_role("radio", name=re.compile("^4")).check()
    expect(told).to_have_text("All answered")
    tab.button("Send my ratings").click()
    expect(tab.page.get_by_role("heading", level=1)).to_have_text(re.compile("talk 2"))
    assert site.rows(ANSWER, talk) == [(int(number), int(number))]


def test_nothing_is_wrong_with_its_page_before_and_after_a_refusal(open_tab: Callable[..., Tab]) -> None:
    tab = open_tab()
    to_the_questions(tab)
    faults = looked_at(tab)
    tab.button("Send my ratings").click()
    link = tab.page.get_by_role("link", name="The number to choose: Please choose a number from 1 to 5.")
    expect(link).to_be_visible()
    faults += looked_at(tab)
    link.click()
    expect(tab.page.locator("#attention-1")).to_be_focused()
    assert faults == []


def looked_at(tab: Tab) -> list[str]:
    """What is wrong with the page in every look and width."""
    faults = []
    for width, height in WIDTHS.items():
        tab.page.set_viewport_size({"width": width, "height": height})
        for look in LOOKS:
            tab.page.emulate_media(color_scheme=look, reduced_motion="reduce")  # type: ignore[arg-type]
            faults += [f"{look}, {width} px: {fault}" for fault in tab.faults()]
    return faults
