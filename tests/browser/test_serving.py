"""The page Serving changes by itself, tells when it cannot, and looks right in every state."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pytest
from playwright.sync_api import expect

from tests.browser.tab import Tab
from tests.site.running import Site

#: Several looks of the page.
SOON_MS = 15_000


class Row:
    """A worker of no process, in the site's database."""

    def __init__(self, site: Site, name: str) -> None:
        self.site, self.name, self.id = site, name, uuid.uuid4().hex
        site.write(
            "INSERT INTO modelhub_servingworker"
            ' (id, name, "group", device, state, memory_mb, memory_free_mb, started_at, seen_at)'
            " VALUES (?, ?, '', 'cuda:9', 'starting', 1234, 4321, ?, ?)",
            *(self.id, name, self.now(), self.now()),
        )

    @staticmethod
    def now() -> str:
        return datetime.now(UTC).replace(tzinfo=None).isoformat(sep=" ")

    def becomes(self, state: str) -> None:
        query = "UPDATE modelhub_servingworker SET state = ?, seen_at = ? WHERE id = ?"
        self.site.write(query, state, self.now(), self.id)

    def goes(self) -> None:
        self.site.write("DELETE FROM modelhub_servingworker WHERE id = ?", self.id)


@pytest.fixture
def row(site: Site) -> Iterator[Row]:
    made = Row(site, f"elsewhere:{uuid.uuid4().hex[:6]}")
    yield made
    made.goes()


@pytest.fixture
def desk(open_tab: Callable[..., Tab]) -> Tab:
    """A researcher who looks at the page."""
    tab = open_tab(researcher=True)
    tab.goto("/serving/")
    return tab


def test_a_worker_that_comes_changes_and_goes_is_shown_without_a_reload(desk: Tab, site: Site) -> None:
    desk.page.evaluate("window.notReloaded = true")
    worker = Row(site, "elsewhere:1")
    shown = desk.page.locator("[data-table=workers] tr", has_text="elsewhere:1")
    expect(shown).to_contain_text("starting", timeout=SOON_MS)
    worker.becomes("ready")
    state = shown.locator(".tag")
    expect(state).to_have_text("ready", timeout=SOON_MS)
    expect(state).to_have_class("shown tag good changed")
    expect(state).to_have_class("shown tag good", timeout=SOON_MS)
    worker.goes()
    expect(shown).to_have_count(0, timeout=SOON_MS)
    assert desk.page.evaluate("window.notReloaded")


def test_a_lost_line_is_told_until_it_is_back(desk: Tab) -> None:
    expect(desk.page.get_by_text("kept up to date")).to_be_visible()
    desk.context.set_offline(True)
    expect(desk.page.get_by_role("alert")).to_contain_text("what you see may be old", timeout=SOON_MS)
    assert desk.faults() == []
    desk.context.set_offline(False)
    expect(desk.page.get_by_role("alert")).to_have_count(0, timeout=30_000)


def test_who_was_signed_out_meanwhile_is_told(desk: Tab) -> None:
    desk.context.clear_cookies()
    expect(desk.page.get_by_role("alert")).to_contain_text("You are signed out", timeout=SOON_MS)


def test_a_hidden_page_asks_for_nothing(desk: Tab) -> None:
    asked: list[str] = []
    desk.page.on("request", lambda request: asked.append(request.url))
    desk.page.evaluate("Object.defineProperty(document, 'hidden', {value: true})")
    desk.page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    asked.clear()
    desk.page.wait_for_timeout(6000)
    assert asked == []


def test_a_worker_s_name_is_shown_as_text(desk: Tab, site: Site) -> None:
    worker = Row(site, "<img src=x>:1")
    expect(desk.page.get_by_text("<img src=x>:1").first).to_be_visible(timeout=SOON_MS)
    worker.goes()


@pytest.mark.parametrize("width", [320, 360, 1280])
def test_nothing_is_wrong_with_it_at_any_width(desk: Tab, row: Row, width: int) -> None:
    desk.page.set_viewport_size({"width": width, "height": 800})
    expect(desk.page.get_by_text(row.name).first).to_be_visible(timeout=SOON_MS)
    for look in ("light", "dark"):
        desk.page.emulate_media(color_scheme=look, reduced_motion="reduce")  # type: ignore[arg-type]
        assert desk.faults() == []
