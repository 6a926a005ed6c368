"""Every page, light and dark, narrow and wide: nothing that axe minds, no error, no sideways scroll."""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.tab import LINES, Tab
from tests.site.running import Site

pytestmark = pytest.mark.timeout(600)
LOOKS = ("light", "dark")
WIDTHS = {360: 740, 1280: 900}
#: Every state of a page is kept as a picture here, when it is set.
PICTURES = os.environ.get("COLLOQUY_PICTURES", "")


class Inspection:
    """Looks at pages in every look and width, and keeps what is wrong."""

    def __init__(self) -> None:
        self.faults: list[str] = []

    def look(self, tab: Tab, name: str, *, reload: bool = True) -> None:
        """``reload=False`` for a page that answers a form: only its size changes."""
        for width, height in WIDTHS.items():
            tab.page.set_viewport_size({"width": width, "height": height})
            if reload:
                tab.page.reload()
            for look in LOOKS:
                tab.page.emulate_media(color_scheme=look, reduced_motion="reduce")  # type: ignore[arg-type]
                self.faults += [f"{name}, {look}, {width} px: {fault}" for fault in tab.faults()]
                if PICTURES:
                    path = Path(PICTURES) / f"{name.replace(' ', '-')}-{look}-{width}.png"
                    tab.page.screenshot(path=path, full_page=True)


@pytest.fixture
def inspection() -> Inspection:
    return Inspection()


def test_pages_for_everybody(open_tab: Callable[..., Tab], inspection: Inspection) -> None:
    tab = open_tab()
    for name, path in {
        "home": "/",
        "signed out": "/signin/",
        "sign in": "/signin/some-token/",
        "nothing here": "/nowhere/",
        "no such study": "/e/nowhere/",
        "bad simulation link": "/e/plain/?sim=x:y:z",
        "studies without sign in": "/studies/",
        "report without sign in": "/studies/table7/report/",
    }.items():
        tab.goto(path)
        inspection.look(tab, name)
    tab.goto("/signin/some-token/")
    tab.button("Sign in").click()
    inspection.look(tab, "spent sign in", reload=False)
    tab.goto("/signin/some-token/")
    tab.context.clear_cookies()
    tab.button("Sign in").click()
    inspection.look(tab, "no cookies", reload=False)
    assert inspection.faults == []


def test_pages_of_a_visit(open_tab: Callable[..., Tab], inspection: Inspection, site: Site) -> None:
    tab = open_tab()
    tab.goto("/e/table7/")
    inspection.look(tab, "consent")
    tab.button("Take part").click()
    inspection.look(tab, "consent refused", reload=False)
    tab.page.get_by_role("checkbox").check()
    tab.button("Take part").click()
    inspection.look(tab, "how it works")
    talk = tab.start()
    inspection.look(tab, "talk begun")
    for line in LINES[:5]:
        tab.say(line)
    inspection.look(tab, "talk")
    tab.page.locator("#log .report").first.click()
    inspection.look(tab, "report dialog", reload=False)
    tab.page.get_by_label("Something else").check()
    tab.button("Send the report").click()
    expect(tab.page.locator("#notices")).to_contain_text("reported")
    tab.page.locator("#text").fill("word " * 33)
    inspection.look(tab, "talk with a long message", reload=False)
    tab.page.locator("#text").fill("")
    tab.context.set_offline(True)
    expect(tab.page.locator("#notices")).to_contain_text("connection is lost")
    inspection.look(tab, "talk offline", reload=False)
    tab.context.set_offline(False)
    tab.goto(f"/e/{'table7'}/leave/")
    inspection.look(tab, "leave while talking")
    tab.goto(f"/t/{talk}/")
    tab.say(LINES[5])
    inspection.look(tab, "talk may finish")
    tab.button("Finish and rate").click()
    tab.page.wait_for_url("**/rate/")
    inspection.look(tab, "rate")
    tab.button("Send my ratings").click()
    inspection.look(tab, "rate refused", reload=False)
    tab.goto("/e/table7/leave/")
    inspection.look(tab, "leave while rating")
    tab.goto(f"/t/{talk}/rate/")
    tab.rate(5, 4, 3, 2)
    inspection.look(tab, "next talk")
    tab.goto(f"/t/{talk}/rate/")
    inspection.look(tab, "rated")
    tab.goto("/e/table7/leave/")
    inspection.look(tab, "stop here")
    tab.button("Stop here").click()
    inspection.look(tab, "thanks with code")
    assert inspection.faults == []


def test_pages_where_a_visit_ends_otherwise(
    open_tab: Callable[..., Tab], inspection: Inspection, site: Site
) -> None:
    tab = open_tab()
    tab.goto("/e/shut/")
    inspection.look(tab, "closed study")
    tab.goto("/e/paused/")
    inspection.look(tab, "paused study")
    tab.consent("full")
    inspection.look(tab, "full study")
    tab.goto("/e/quiet/")
    tab.button("No, thank you").click()
    inspection.look(tab, "declined")

    tab.consent("plain")
    talk = tab.start()
    tab.goto("/e/plain/leave/")
    tab.button("Leave the study").click()
    inspection.look(tab, "thanks without code")
    tab.goto(f"/t/{talk}/")
    inspection.look(tab, "talk that was left")

    other = open_tab()
    other.consent("plain")
    other.start()
    for line in LINES:
        other.say(line)
    for line in LINES[:2]:
        other.say(line + " Really.")
    expect(other.page.locator("#notices")).to_contain_text("last turn")
    inspection.look(other, "talk over", reload=False)
    assert inspection.faults == []


@pytest.fixture(scope="module")
def talks(chromium: Browser, site: Site) -> list[str]:
    """Two people's talks of the small study, after a crowd has come to the large one."""
    site.manage("simulate", "--url", site.url, "--workers", "10", "--talks", "2", "--seed", "2")
    return [whole_talk(Tab(chromium.new_context(), site)) for _ in range(2)]


def test_pages_of_studies_and_talks(
    open_tab: Callable[..., Tab], inspection: Inspection, site: Site, talks: list[str]
) -> None:
    simulated = site.one("SELECT id FROM chat_conversation WHERE simulated = 1 AND state = 'complete'")
    desk = open_tab(researcher=True)
    for name, path in {
        "studies": "/studies/",
        "study": "/studies/table7/",
        "study of one": "/studies/plain/",
        "study closed": "/studies/shut/",
        "talks": "/studies/table7/talks/",
        "talks filtered": "/studies/table7/talks/?who=people",
        "talks filtered to nothing": "/studies/plain/talks/?state=failed",
        "talks of nobody": "/studies/quiet/talks/",
        "serving": "/serving/",
        "transcript": f"/studies/plain/talks/{talks[0]}/",
        "transcript simulated": f"/studies/table7/talks/{simulated}/",
        "no such study for researchers": "/studies/nowhere/",
        "no such talk": "/studies/plain/talks/00000000-0000-4000-8000-000000000000/",
    }.items():
        desk.goto(path)
        inspection.look(desk, name)
    assert inspection.faults == []


def test_pages_of_reports_and_data(
    open_tab: Callable[..., Tab], inspection: Inspection, talks: list[str]
) -> None:
    desk = open_tab(researcher=True)
    for name, path in {
        "report": "/studies/table7/report/?population=simulated",
        "report in other ways": "/studies/table7/report/?method=bootstrap&level=99&excluded=on&paper=off",
        "report of people": "/studies/plain/report/",
        "report of nobody": "/studies/quiet/report/",
        "planning": "/planning/?models=8&looks=5&pay=1&talks_a_day=100",
        "planning refused": "/planning/?power=2",
        "plan of a study": "/studies/table7/plan/",
        "plan of one model": "/studies/plain/plan/",
        "data": "/studies/plain/data/",
        "data simulated": "/studies/table7/data/?population=simulated",
    }.items():
        desk.goto(path)
        if name == "report":
            desk.page.locator(".canvas").first.scroll_into_view_if_needed()
            expect(desk.page.locator(".plot .main-svg").first).to_be_visible()
        inspection.look(desk, name)
    assert inspection.faults == []


def test_every_part_of_a_report(
    open_tab: Callable[..., Tab], inspection: Inspection, talks: list[str]
) -> None:
    desk = open_tab(researcher=True)
    desk.goto("/studies/table7/report/?population=simulated")
    unfold(desk.page)
    inspection.look(desk, "report unfolded", reload=False)
    assert inspection.faults == []


def unfold(page: Page) -> None:
    """Draw every chart of a report and open all that is folded away."""
    for canvas in page.locator(".canvas").all():
        canvas.scroll_into_view_if_needed()
        expect(canvas.locator(".main-svg").first).to_be_attached()
    for summary in page.locator("main summary").all():
        summary.click()


def test_pages_of_worker_quality(
    open_tab: Callable[..., Tab], inspection: Inspection, site: Site, talks: list[str]
) -> None:
    site.manage("quality", "--study", "table7", "--simulated", "--seeds", "0")
    bad, fine = (
        site.one(
            "SELECT p.id FROM chat_participation p JOIN chat_worker w ON w.id = p.worker_id"
            f" WHERE w.simulated = 1 AND w.behaviour {which} 'honest' LIMIT 1"
        )
        for which in ("<>", "=")
    )
    workers, of_worker = "/studies/table7/workers/", f"/studies/table7/workers/{uuid.UUID(bad)}/"
    desk = open_tab(researcher=True)
    for name, path in {
        "workers": f"{workers}?population=simulated",
        "workers of nobody": "/studies/quiet/workers/",
        "workers excluded": f"{workers}?population=simulated&show=excluded",
        "workers whom the policy names": f"{workers}carry-out/?population=simulated",
        "worker": of_worker,
        "worker without findings": f"{workers}{uuid.UUID(fine)}/",
        "policy": f"{workers}policy/",
        "policy before talks": "/studies/quiet/workers/policy/",
        "effects": f"{workers}effects/?population=simulated",
        "effects of nobody": "/studies/quiet/workers/effects/",
        "decisions": f"{workers}decisions/",
        "decisions of nobody": "/studies/shut/workers/decisions/",
    }.items():
        desk.goto(path)
        inspection.look(desk, name)
    desk.goto(of_worker)
    desk.page.get_by_label("Reason").select_option("other")
    desk.button("Exclude this worker").click()
    inspection.look(desk, "exclusion refused", reload=False)
    desk.page.get_by_label("Reason").select_option("writing")
    desk.button("Exclude this worker").click()
    desk.button("Undo").focus()
    inspection.look(desk, "worker excluded", reload=False)
    desk.goto(f"{workers}policy/")
    desk.page.get_by_label("From how much All capitals flags").fill("much")
    desk.button("Declare").click()
    inspection.look(desk, "policy refused", reload=False)
    desk.goto(f"{workers}?population=simulated")
    desk.button("Judge everybody now").click()
    inspection.look(desk, "judgement asked")
    assert inspection.faults == []


def test_pages_of_benchmarks(open_tab: Callable[..., Tab], inspection: Inspection, site: Site) -> None:
    desk = open_tab(researcher=True)
    desk.goto("/benchmarks/")
    inspection.look(desk, "no benchmarks")
    site.manage("benchmark", "ed", "--task", "ed", "--candidates", "5", "--max-examples", "8")
    site.manage("benchmark", "mt-single-skills", "--provenance", "--max-examples", "8")
    desk.goto("/benchmarks/")
    expect(desk.page.get_by_role("heading", name="Table 5")).to_be_visible()
    inspection.look(desk, "benchmarks")
    assert inspection.faults == []


def whole_talk(tab: Tab) -> str:
    """A person's shortest talk, with its ratings; its id."""
    tab.consent("plain")
    talk = tab.start()
    for line in LINES[:2]:
        tab.say(line)
    tab.button("Finish and rate").click()
    tab.rate(1, 2, 3, 4)
    expect(tab.page.get_by_role("heading", level=1)).to_contain_text("talk 2")
    return talk
