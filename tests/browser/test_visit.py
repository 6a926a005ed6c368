"""A person's visit in a browser, from the link to the code."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.browser.tab import LINES, Tab
from tests.site.running import Site

SAID = "SELECT position, speaker, text FROM chat_message WHERE conversation_id = ? ORDER BY position"
ARM = "SELECT arm_id FROM chat_conversation WHERE id = ?"


def test_a_person_chats_through_a_lost_connection_rates_and_gets_a_code(
    open_tab: Callable[..., Tab], site: Site
) -> None:
    tab = open_tab()
    tab.consent("table7")
    first = tab.start()
    for line in LINES[:3]:
        tab.say(line)

    tab.context.set_offline(True)
    expect(tab.page.locator("#notices")).to_contain_text("connection is lost")
    tab.write(LINES[3])
    expect(tab.page.locator("#notices")).to_contain_text("message is kept")
    tab.context.set_offline(False)
    expect(tab.replies).to_have_count(4)
    expect(tab.page.locator("#notices")).not_to_contain_text("connection is lost")

    tab.say(LINES[4])
    tab.page.reload()
    expect(tab.replies).to_have_count(5)
    tab.say(LINES[5])
    shown = tab.log
    tab.button("Finish and rate").click()
    tab.rate(4, 2, 5, 3)
    expect(tab.page.get_by_role("heading", level=1)).to_have_text(re.compile("talk 2"))

    stored = site.rows(SAID, first.replace("-", ""))
    assert [text for _, _, text in stored] == shown
    assert [text for _, speaker, text in stored if speaker == "worker"] == list(LINES)
    assert [position for position, _, _ in stored] == list(range(1, 13))

    second = tab.start()
    assert site.one(ARM, second.replace("-", "")) != site.one(ARM, first.replace("-", ""))
    for line in LINES:
        tab.say(line)
    tab.button("Finish and rate").click()
    tab.rate(3, 3, 3, 3)
    tab.page.get_by_role("link", name="Stop here").click()
    tab.button("Stop here").click()
    code = tab.page.locator("#code").inner_text()
    assert re.fullmatch(r"([A-Z2-7]{5}-){3}[A-Z2-7]{5}", code)
    tab.goto("/e/table7/")
    expect(tab.page.locator("#code")).to_have_text(code)


def test_a_visit_can_be_made_with_the_keyboard_alone(open_tab: Callable[..., Tab]) -> None:
    tab = open_tab()
    page, keys = tab.page, tab.page.keyboard
    tab.goto("/e/plain/")
    tab_to(tab, "#agreed")
    keys.press("Space")
    tab_to(tab, "button[value=agree]")
    keys.press("Enter")
    page.wait_for_url("**/next/")
    tab_to(tab, "main button")
    keys.press("Enter")
    page.wait_for_url("**/t/*/")
    for turn, line in enumerate(LINES[:2], start=1):
        tab_to(tab, "#text")
        keys.type(line)
        keys.press("Enter")
        expect(tab.replies).to_have_count(turn)
        expect(page.locator("#text")).to_be_focused()
    tab_to(tab, "#log .report")
    keys.press("Enter")
    expect(page.locator("#report-dialog")).to_be_visible()
    keys.press("Escape")
    expect(page.locator("#report-dialog")).to_be_hidden()
    tab_to(tab, "#finish-button")
    keys.press("Enter")
    page.wait_for_url("**/rate/")
    for axis in ("knowledge", "empathy", "personal", "overall"):
        tab_to(tab, f"input[name={axis}]")
        keys.press("Space")
        keys.press("ArrowRight")
        expect(page.locator(f"#{axis}-2")).to_be_checked()
    tab_to(tab, "main form button")
    keys.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text(re.compile("talk 2"))
    tab_to(tab, "a[href$='/leave/']")
    keys.press("Enter")
    page.wait_for_url("**/leave/")
    tab_to(tab, "main form button")
    keys.press("Enter")
    expect(page.locator("#code")).to_be_visible()


def tab_to(tab: Tab, selector: str) -> None:
    """Press Tab until something that matches has the focus, and see that it is drawn as focused."""
    for _ in range(40):
        if tab.page.evaluate("selector => document.activeElement.matches(selector)", selector):
            break
        tab.page.keyboard.press("Tab")
    focused = tab.page.locator("*:focus")
    assert focused.evaluate("(element, selector) => element.matches(selector)", selector), (
        f"no way to {selector}"
    )
    outlined = focused.evaluate(
        "e => [e, e.parentElement].some(x => getComputedStyle(x).outlineStyle !== 'none' "
        "|| getComputedStyle(x).boxShadow !== 'none')"
    )
    assert outlined, f"{selector} does not show its focus"


def test_a_refused_message_stays_in_the_box_with_its_reason(open_tab: Callable[..., Tab]) -> None:
    tab = open_tab()
    tab.consent("plain")
    tab.start()
    box, reason = tab.page.locator("#text"), tab.page.locator("#reason")
    for text, says in (
        ("I like to swim in cold lakes.", "your own words"),
        ("word " * 31, "at most 30"),
    ):
        box.fill(text)
        expect(reason).to_contain_text(says)
        box.press("Enter")
        expect(box).to_have_value(text)
        expect(reason).to_contain_text(says)
    assert tab.log == []
    tab.say(LINES[0])


def test_in_two_tabs_the_newer_goes_on_and_the_older_says_so(open_tab: Callable[..., Tab]) -> None:
    tab = open_tab()
    tab.consent("plain")
    tab.start()
    tab.say(LINES[0])
    newer = tab.context.new_page()
    newer.goto(tab.page.url)
    expect(tab.page.locator("#notices")).to_contain_text("another tab")
    expect(tab.page.locator("#composer")).to_be_hidden()
    newer.locator("#text").fill(LINES[1])
    newer.locator("#text").press("Enter")
    expect(newer.locator("#log .said:not(.mine)")).to_have_count(2)


@pytest.mark.parametrize("size", [(360, 740), (1280, 900)], ids=["phone", "desk"])
def test_the_room_fits_the_window_and_shows_the_last_words(
    open_tab: Callable[..., Tab], size: tuple[int, int]
) -> None:
    tab = open_tab(viewport={"width": size[0], "height": size[1]})
    tab.consent("plain")
    tab.start()
    for line in LINES:
        tab.say(line)
    for _ in range(2):
        assert tab.page.evaluate("document.documentElement.scrollHeight") <= size[1]
        expect(tab.replies.last).to_be_in_viewport(ratio=1)
        tab.page.reload()


GROWN_AND_LOST = """() => {
  const { scroller, text, finish } = Object.fromEntries([...document.querySelectorAll("[id]")].map((e) => [e.id, e]));
  finish.hidden = true;
  text.style.height = "40px";
  scroller.getBoundingClientRect();
  finish.hidden = false;
}"""


def test_the_last_words_stay_where_the_room_grows_and_shrinks_in_one_frame(
    open_tab: Callable[..., Tab],
) -> None:
    """An own text leaves its box, the reply comes, and the button to finish: on a slow phone all in one frame."""
    tab = open_tab(viewport={"width": 360, "height": 740})
    tab.consent("plain")
    tab.start()
    for line in LINES:
        tab.say(line)
    tab.page.locator("#text").evaluate("box => box.style.height = '240px'")
    expect(tab.replies.last).to_be_in_viewport(ratio=1)
    tab.page.evaluate(GROWN_AND_LOST)
    expect(tab.replies.last).to_be_in_viewport(ratio=1)


def test_who_reads_what_was_said_before_is_left_there(open_tab: Callable[..., Tab]) -> None:
    tab = open_tab(viewport={"width": 360, "height": 740})
    tab.consent("plain")
    tab.start()
    for line in LINES[:5]:
        tab.say(line)
    tab.page.locator("#text").fill(LINES[5])
    tab.page.mouse.move(180, 300)
    tab.page.mouse.wheel(0, -400)
    expect(tab.replies.last).not_to_be_in_viewport()
    tab.page.locator("#text").evaluate("box => box.style.height = '240px'")
    tab.page.wait_for_timeout(300)
    expect(tab.replies.last).not_to_be_in_viewport()
    tab.page.mouse.wheel(0, 4000)
    expect(tab.replies.last).to_be_in_viewport(ratio=1)
    tab.page.locator("#text").evaluate("box => box.style.height = '300px'")
    expect(tab.replies.last).to_be_in_viewport(ratio=1)
