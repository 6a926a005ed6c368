"""A bad worker is judged, looked at, excluded and restored, with the keyboard alone and without a script."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from itertools import count

import pytest
from playwright.sync_api import expect

from ratings.simulation.behaviours import Behaviour
from ratings.simulation.crowd import plans
from tests.browser.tab import Tab
from tests.site.running import Site

WORKERS = "/studies/judged/workers/"
DECIDED = "SELECT act, reason, actor FROM ratings_decision WHERE participation_id = ? ORDER BY id"
EXCLUDED = "SELECT count(*) FROM chat_participation WHERE id = ? AND excluded_at IS NOT NULL"


@pytest.fixture(scope="module")
def short_writer(site: Site) -> str:
    """Who writes a word or two a message, in a crowd of two that was judged; their id as the database has it."""
    seed = next(n for n in count() if Behaviour.SHORT_WRITER in {plan.behaviour for plan in plans(2, n, 2)})
    site.manage(
        *("simulate", "--url", site.url, "--study", "judged"),
        *("--workers", "2", "--talks", "2", "--seed", str(seed)),
    )
    site.manage("quality", "--study", "judged", "--simulated", "--seeds", "0")
    return str(
        site.one(
            "SELECT p.id FROM chat_participation p JOIN chat_worker w ON w.id = p.worker_id"
            " JOIN chat_study s ON s.id = p.study_id WHERE s.slug = 'judged' AND w.behaviour = 'short_writer'"
        )
    )


@pytest.fixture
def page_of_worker(site: Site, short_writer: str) -> Iterator[str]:
    """The worker's page; whatever a test decided is undone."""
    yield f"{WORKERS}{uuid.UUID(short_writer)}/"
    site.write("UPDATE chat_participation SET excluded_at = NULL WHERE id = ?", short_writer)


def exclude(tab: Tab, path: str) -> None:
    tab.goto(path)
    tab.page.get_by_label("Reason").select_option("writing")
    tab.button("Exclude this worker").click()
    expect(tab.button("Undo")).to_be_visible()


def test_a_bad_worker_is_judged_found_excluded_and_restored_by_keyboard(
    open_tab: Callable[..., Tab], site: Site, short_writer: str, page_of_worker: str
) -> None:
    desk = open_tab(researcher=True)
    desk.goto(WORKERS)
    desk.button("Judge everybody now").press("Enter")
    told = desk.page.get_by_role("status").filter(has_text="2 of 2 were judged since")
    while not told.is_visible():
        desk.page.get_by_role("link", name="Look again").press("Enter")
        desk.page.wait_for_timeout(500)
    row = desk.page.get_by_role("row").filter(has_text="short_writer")
    expect(row).to_contain_text("due by policy")
    expect(row).to_contain_text("Short messages")
    row.get_by_role("link").press("Enter")

    expect(desk.page.get_by_role("heading", name="Short messages")).to_be_visible()
    said = desk.page.locator("blockquote p").all_inner_texts()
    assert said and all(len(text.split()) < 3 for text in said)
    desk.page.get_by_label("Reason").focus()
    desk.page.keyboard.type("writing")
    desk.page.keyboard.press("Tab")
    desk.page.keyboard.type("two words at most")
    desk.page.keyboard.press("Tab")
    desk.page.keyboard.press("Enter")
    expect(desk.page.get_by_role("status")).to_contain_text("Excluded: 2 finished talks count no longer.")
    assert site.one(EXCLUDED, short_writer) == 1

    expect(desk.page.locator("#done")).to_be_focused()
    desk.page.keyboard.press("Tab")
    expect(desk.button("Undo")).to_be_focused()
    desk.page.keyboard.press("Enter")
    expect(desk.page.get_by_role("status")).to_contain_text("Restored: 2 finished talks count again.")
    assert site.one(EXCLUDED, short_writer) == 0
    by = site.one("SELECT username FROM auth_user")
    assert site.rows(DECIDED, short_writer) == [("exclude", "writing", by), ("restore", "mistake", by)]


def test_the_quoted_message_is_marked_in_the_transcript(
    open_tab: Callable[..., Tab], page_of_worker: str
) -> None:
    desk = open_tab(researcher=True)
    desk.goto(page_of_worker)
    quote = desk.page.locator("blockquote").nth(1)
    text = quote.locator("p").inner_text()
    quote.get_by_role("link").click()
    expect(desk.page.locator("li:target .msg")).to_have_text(text)
    expect(desk.page.locator("li:target .msg")).to_be_in_viewport()


def test_the_word_about_an_exclusion_goes_after_ten_seconds_and_not_while_its_button_has_the_focus(
    open_tab: Callable[..., Tab], page_of_worker: str
) -> None:
    desk = open_tab(researcher=True)
    desk.page.clock.install()
    exclude(desk, page_of_worker)
    expect(desk.page.locator("#done")).to_be_focused()
    desk.button("Undo").focus()
    desk.page.clock.run_for(30_000)
    expect(desk.button("Undo")).to_be_visible()
    desk.page.locator("#done").focus()
    desk.page.clock.run_for(9_000)
    expect(desk.button("Undo")).to_be_visible()
    desk.page.clock.run_for(2_000)
    expect(desk.page.locator("#done")).to_be_hidden()
    expect(desk.page.locator("#main")).to_be_focused()
    assert "decided" not in desk.page.url
    expect(desk.button("Restore this worker")).to_be_visible()


def test_without_a_script_the_button_stays_and_works(
    open_tab: Callable[..., Tab], site: Site, short_writer: str, page_of_worker: str
) -> None:
    desk = open_tab(researcher=True, java_script_enabled=False)
    exclude(desk, page_of_worker)
    desk.page.wait_for_timeout(1000)
    desk.button("Undo").click()
    expect(desk.page.get_by_role("status")).to_contain_text("Restored")
    assert site.one(EXCLUDED, short_writer) == 0


def test_the_effect_on_table_7_stands_beside_the_button_and_behind_a_link(
    open_tab: Callable[..., Tab], page_of_worker: str
) -> None:
    desk = open_tab(researcher=True)
    desk.goto(page_of_worker)
    expect(desk.page.locator("[data-effect]")).to_contain_text("Table 7: drops 2 talks; ")
    plain = open_tab(researcher=True, java_script_enabled=False)
    plain.goto(page_of_worker)
    plain.page.get_by_role("link", name="What it changes in Table 7").click()
    expect(plain.page.get_by_role("heading", name="Excluding them drops 2 talks; ")).to_be_visible()


def test_those_whom_the_policy_names_are_excluded_after_a_question(
    open_tab: Callable[..., Tab], site: Site, short_writer: str, page_of_worker: str
) -> None:
    desk = open_tab(researcher=True)
    desk.goto(WORKERS)
    desk.page.get_by_role("link", name="Exclude the 1 worker whom the policy names").click()
    expect(desk.page.get_by_role("heading", level=1)).to_have_text("Exclude 1 worker?")
    assert site.one(EXCLUDED, short_writer) == 0
    desk.button("Exclude 1 worker").click()
    expect(desk.page.get_by_role("status")).to_contain_text("1 worker excluded by the policy")
    assert site.one(EXCLUDED, short_writer) == 1


@pytest.mark.parametrize("path", ["", "policy/", "decisions/", "carry-out/", "worker"])
def test_nothing_scrolls_sideways_on_a_small_phone(
    path: str, open_tab: Callable[..., Tab], page_of_worker: str
) -> None:
    desk = open_tab(researcher=True)
    desk.page.set_viewport_size({"width": 320, "height": 640})
    desk.goto(page_of_worker if path == "worker" else WORKERS + path)
    assert desk.faults() == []
