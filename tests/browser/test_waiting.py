"""What a person is told while time passes; the page's clock is moved, the site's is not."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import expect

from chat import load
from tests.browser.tab import LINES, REPLY_LIMIT_MS, Tab
from tests.site.running import Site

#: Of the thirty minutes after which a talk that is left alone is closed.
NEARLY = "26:00"


def test_a_talk_that_is_left_alone_says_so_and_can_be_kept(open_tab: Callable[..., Tab]) -> None:
    tab = open_tab()
    tab.page.clock.install()
    tab.consent("plain")
    tab.start()
    expect(tab.page.locator("#text")).to_be_enabled()
    tab.page.clock.fast_forward(NEARLY)
    expect(tab.page.locator("#notices")).to_contain_text("will soon be closed")
    assert tab.faults() == []
    tab.button("I am still here").click()
    expect(tab.page.locator("#notices")).not_to_contain_text("will soon be closed")
    tab.say(LINES[0])


def test_questions_that_are_left_alone_say_so_and_keep_what_was_chosen(open_tab: Callable[..., Tab]) -> None:
    tab = open_tab()
    tab.page.clock.install()
    tab.consent("plain")
    tab.start()
    for line in LINES[:2]:
        tab.say(line)
    tab.button("Finish and rate").click()
    tab.page.wait_for_url("**/rate/")
    tab.page.locator("#empathy-4").check(force=True)
    expect(tab.page.locator("#idle")).to_be_hidden()
    tab.page.clock.fast_forward(NEARLY)
    expect(tab.page.locator("#idle")).to_contain_text("will soon be closed")
    assert tab.faults() == []
    tab.button("I am still here").click()
    expect(tab.page.locator("#idle")).to_be_hidden()
    expect(tab.page.locator("#empathy-4")).to_be_checked()
    tab.rate(4, 2, 5, 3)


def test_a_partner_who_takes_long_is_explained_twice(open_tab: Callable[..., Tab]) -> None:
    tab = open_tab()
    tab.page.clock.install()
    tab.consent("slow")
    tab.start()
    tab.write(LINES[0])
    expect(tab.page.locator("#typing")).to_be_visible()
    tab.page.clock.run_for(20_000)
    expect(tab.page.locator("#notices")).to_contain_text("longer than usual")
    tab.page.clock.run_for(60_000)
    expect(tab.page.locator("#notices")).to_contain_text("has not answered for a minute")
    assert tab.faults() == []
    expect(tab.replies).to_have_count(1, timeout=REPLY_LIMIT_MS)
    expect(tab.page.locator("#notices")).to_be_empty()


def test_a_talk_that_ends_elsewhere_says_so_and_leads_on(open_tab: Callable[..., Tab], site: Site) -> None:
    tab = open_tab()
    tab.consent("plain")
    talk = tab.start()
    tab.say(LINES[0])
    site.write(
        "UPDATE chat_conversation SET last_activity_at = datetime('now', '-31 minutes') WHERE id = ?",
        talk.replace("-", ""),
    )
    site.manage("sweep", "--once")
    expect(tab.page.locator("#notices")).to_contain_text("nothing was written for a long time")
    expect(tab.page.locator("#composer")).to_be_hidden()
    tab.page.get_by_role("link", name="Go on").click()
    tab.start()
    tab.say(LINES[1])


def test_a_message_to_a_partner_who_is_busy_is_kept_and_goes_out_by_itself(
    open_tab: Callable[..., Tab], site: Site
) -> None:
    tab = open_tab()
    tab.consent("plain")
    talk = tab.start().replace("-", "")
    site.write(
        "WITH RECURSIVE n(i) AS (SELECT 101 UNION ALL SELECT i + 1 FROM n WHERE i < 1100) "
        "INSERT INTO chat_turn (conversation_id, position, state, attempt, asked_again, asked_at, lease_until) "
        "SELECT ?, i, 'asked', 0, 0, datetime('now'), datetime('now', '+1 hour') FROM n",
        talk,
    )
    try:
        # The web process asked before the talk began, and believes that for so long.
        tab.page.wait_for_timeout(1000 * load.FRESH_S + 200)
        tab.write(LINES[0])
        expect(tab.page.locator("#notices")).to_contain_text("is sent again in a moment")
        expect(tab.page.locator("#send")).to_have_text("Sending…")
        assert tab.faults() == []
    finally:
        site.write("DELETE FROM chat_turn WHERE conversation_id = ? AND position > 100", talk)
    expect(tab.replies).to_have_count(1, timeout=REPLY_LIMIT_MS)
    expect(tab.page.locator("#notices")).to_be_empty()
    assert tab.log[0] == LINES[0]
