"""What a real page tells of typing, and what is stored of it."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import expect

from tests.browser.tab import REPLY_LIMIT_MS, Tab
from tests.site.running import Site

COLUMNS = "keystrokes, deletions, pastes, pasted_characters, first_key_ms, typed_ms, focus_losses"
TYPED = (
    f"SELECT {COLUMNS} FROM chat_typingrecord r JOIN chat_message m ON m.id = r.message_id "
    "WHERE m.conversation_id = ? ORDER BY m.position"
)
TEXT = "SELECT text FROM chat_message WHERE conversation_id = ? AND speaker = 'worker' ORDER BY position"
#: Pages of a browser without a window never lose the focus by themselves.
LEAVE = "dispatchEvent(new Event('blur')), dispatchEvent(new Event('focus'))"


def begin(tab: Tab, study: str = "plain") -> str:
    """A new talk, in which it is the person's move; its id as SQLite has it."""
    tab.consent(study)
    talk = tab.start()
    expect(tab.page.locator("#send")).to_have_text("Send")
    return talk.replace("-", "")


def frames_of(tab: Tab) -> list[str]:
    """Every frame that the tab's pages send from now on."""
    sent: list[str] = []
    tab.page.on("websocket", lambda socket: socket.on("framesent", lambda frame: sent.append(str(frame))))
    return sent


def press(tab: Tab, text: str) -> None:
    tab.page.locator("#text").press_sequentially(text)


def send(tab: Tab) -> None:
    """Send what is in the box and wait for the reply."""
    replies = tab.replies.count()
    tab.page.locator("#text").press("Enter")
    expect(tab.replies).to_have_count(replies + 1, timeout=REPLY_LIMIT_MS)


def paste(tab: Tab, text: str) -> None:
    tab.context.grant_permissions(["clipboard-read", "clipboard-write"])
    tab.page.evaluate("text => navigator.clipboard.writeText(text)", text)
    tab.page.locator("#text").press("ControlOrMeta+v")


def test_what_is_typed_deleted_and_pasted_is_counted_and_no_letter_of_it_kept(
    open_tab: Callable[..., Tab], site: Site
) -> None:
    tab = open_tab()
    sent = frames_of(tab)
    talk = begin(tab)
    press(tab, "I sing zyxwq")
    for _ in range(5):
        tab.page.locator("#text").press("Backspace")
    paste(tab, "and dance 🙂.")
    tab.page.evaluate(LEAVE)
    send(tab)
    press(tab, "Do you?")
    tab.page.locator("#text").press("Shift+ArrowLeft")
    tab.page.keyboard.press("Delete")
    press(tab, "!")
    send(tab)

    assert site.rows(TEXT, talk) == [("I sing and dance 🙂.",), ("Do you!",)]
    first, second = site.rows(TYPED, talk)
    assert first[:4] == (17, 5, 1, 12) and first[6] == 1
    assert second[:4] == (9, 1, 0, 0) and second[6] == 0
    assert all(0 < row[4] < 60_000 and 0 < row[5] < 60_000 for row in (first, second))
    assert len(sent) > 2 and "zyxwq" not in "".join(sent)


def test_who_types_before_the_reply_is_there_began_at_once(open_tab: Callable[..., Tab], site: Site) -> None:
    tab = open_tab()
    talk = begin(tab, "slow")
    press(tab, "Hello you.")
    tab.page.locator("#text").press("Enter")
    expect(tab.page.locator("#typing")).to_be_visible()
    press(tab, "More of me.")
    expect(tab.replies).to_have_count(1, timeout=REPLY_LIMIT_MS)
    tab.page.locator("#text").press("Enter")
    expect(tab.page.locator("#log .said.mine")).to_have_count(2)
    (first, second) = site.rows(TYPED, talk)
    assert first[4] > 0
    assert second[4] == 0 and second[5] > 5_000


def test_counts_go_on_over_a_reload_and_a_lost_connection_sends_them_once(
    open_tab: Callable[..., Tab], site: Site
) -> None:
    tab = open_tab()
    talk = begin(tab)
    press(tab, "Half of ")
    tab.page.reload()
    press(tab, "it.")
    tab.context.set_offline(True)
    expect(tab.page.locator("#notices")).to_contain_text("connection is lost")
    tab.page.locator("#text").press("Enter")
    expect(tab.page.locator("#notices")).to_contain_text("message is kept")
    tab.context.set_offline(False)
    expect(tab.replies).to_have_count(1, timeout=REPLY_LIMIT_MS)
    assert [row[:4] for row in site.rows(TYPED, talk)] == [(11, 0, 0, 0)]


def test_how_a_message_was_typed_never_keeps_it_back(open_tab: Callable[..., Tab], site: Site) -> None:
    tab = open_tab()
    talk = begin(tab)
    press(tab, "Half of ")
    tab.page.evaluate(
        """() => {
          const [key, draft] = Object.entries(sessionStorage).find(([key]) => key.startsWith("draft:"));
          sessionStorage.setItem(key, draft.replace('"keystrokes":8', '"keystrokes":-99'));
        }"""
    )
    tab.page.reload()
    press(tab, "it.")
    send(tab)
    assert site.rows(TEXT, talk) == [("Half of it.",)]
    assert site.rows(TYPED, talk) == []


def test_a_study_without_paradata_has_pages_that_tell_nothing(
    open_tab: Callable[..., Tab], site: Site
) -> None:
    site.write("UPDATE chat_study SET keeps_paradata = 0 WHERE slug = 'plain'")
    try:
        tab = open_tab()
        sent = frames_of(tab)
        begin(tab)
        press(tab, "Hello you.")
        send(tab)
    finally:
        site.write("UPDATE chat_study SET keeps_paradata = 1 WHERE slug = 'plain'")
    said = [frame for frame in sent if '"say"' in frame]
    assert len(said) == 1 and "typing" not in said[0]
