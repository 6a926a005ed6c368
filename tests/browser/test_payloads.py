"""Whatever a model says or is called is shown as text, and does nothing."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import expect

from tests.browser.tab import Tab
from tests.site.running import Site
from tests.site.studies import CALLED, PAYLOADS


def test_payloads_are_shown_literally_in_the_talk_the_transcript_and_the_report(
    open_tab: Callable[..., Tab], site: Site
) -> None:
    tab = open_tab()
    tab.consent("payloads")
    talk = tab.start()
    for payload in PAYLOADS:
        tab.say(f"You said {payload}"[:200])
    assert tab.log[1::2] == PAYLOADS
    tab.button("Finish and rate").click()
    tab.rate(1, 2, 3, 4)

    desk = open_tab(researcher=True)
    desk.goto(f"/studies/payloads/talks/{talk}/")
    shown = desk.page.locator(".transcript .msg:not(.seed)").all_inner_texts()
    assert shown[1::2] == PAYLOADS
    site.manage("simulate", "--url", site.url, "--study", "payloads", "--workers", "6", "--talks", "1")
    desk.goto("/studies/payloads/talks/")
    expect(desk.page.locator("tbody")).to_contain_text(CALLED)
    desk.page.locator("tr", has_text=CALLED).get_by_role("link").first.click()
    expect(desk.page.get_by_role("heading", level=1)).to_contain_text(CALLED)
    desk.goto("/studies/payloads/report/?population=simulated")
    expect(desk.page.locator("table").first).to_contain_text(CALLED)
    expect(desk.page.locator(".plot svg").first).to_be_visible()
    for point in desk.page.locator(".plot .scatterlayer .point").all()[:2]:
        point.hover(force=True)
    assert (
        desk.page.locator("script, img").evaluate_all(
            "found => found.filter(e => !e.src.startsWith(location.origin) && !e.src.startsWith('data:') "
            "&& e.type !== 'application/json').length"
        )
        == 0
    )
    assert "$ne" not in desk.page.content()
