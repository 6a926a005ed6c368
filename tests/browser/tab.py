"""A person's tab: what it shows, and what it must never do."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import BrowserContext, ConsoleMessage, Dialog, Locator, Request, expect

from tests.site.running import Site

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
REPLY_LIMIT_MS = 30_000
LINES = (
    "I had a slow morning with far too much tea.",
    "Would you rather live by the sea or in the hills?",
    "My brother fixes old radios and never throws one away.",
    "That reminds me of a summer that I spent on a farm.",
    "I never learned to whistle, and I envy people who can.",
    "What would you cook for a friend who comes by tonight?",
)


class Tab:
    """One tab in a context of its own. ``wrong`` collects console errors, dialogs and requests to elsewhere."""

    def __init__(self, context: BrowserContext, site: Site) -> None:
        self.context = context
        self.site = site
        self.page = context.new_page()
        self.page.set_default_timeout(REPLY_LIMIT_MS)
        self.wrong: list[str] = []
        self.page.on("console", self._on_console)
        self.page.on("pageerror", lambda error: self.wrong.append(f"{self.page.url}: {error}"))
        self.page.on("dialog", self._on_dialog)
        self.page.on("request", self._on_request)

    def _on_console(self, message: ConsoleMessage) -> None:
        # The browser itself tells of every answer of 400 and above, and of a line that was cut on purpose.
        told = ("Failed to load resource", "WebSocket connection to")
        if message.type in ("error", "warning") and not message.text.startswith(told):
            self.wrong.append(f"{self.page.url}: {message.text}")

    def _on_dialog(self, dialog: Dialog) -> None:
        self.wrong.append(f"{self.page.url}: a dialog says {dialog.message!r}")
        dialog.dismiss()

    def _on_request(self, request: Request) -> None:
        address = urlsplit(request.url)
        if (
            address.scheme in ("http", "https", "ws", "wss")
            and address.netloc != urlsplit(self.site.url).netloc
        ):
            self.wrong.append(f"{self.page.url} asks {request.url}")

    # --- Ways through the site ---

    def goto(self, path: str) -> None:
        self.page.goto(self.site.url + path)

    def button(self, name: str) -> Locator:
        return self.page.get_by_role("button", name=re.compile(name))

    def sign_in(self) -> None:
        link = re.search(r"\S+(/signin/\S+)", self.site.manage("signin"))
        assert link is not None
        self.goto(link[1])
        self.button("Sign in").click()
        expect(self.page.get_by_role("heading", level=1)).to_be_visible()

    def consent(self, study: str) -> None:
        self.goto(f"/e/{study}/")
        self.page.get_by_role("checkbox").check()
        self.button("Take part").click()

    def start(self) -> str:
        """Start the next talk; its id."""
        self.button("Start").click()
        self.page.wait_for_url("**/t/*/")
        return urlsplit(self.page.url).path.split("/")[2]

    def say(self, text: str) -> None:
        """Say something and wait for the reply."""
        replies = self.replies.count()
        self.write(text)
        expect(self.replies).to_have_count(replies + 1, timeout=REPLY_LIMIT_MS)

    def write(self, text: str) -> None:
        """Put a text into the box when it is one's turn, and send it."""
        expect(self.page.locator("#typing")).to_be_hidden()
        expect(self.page.locator("#send")).to_have_text("Send")
        self.page.locator("#text").fill(text)
        self.page.locator("#text").press("Enter")

    def rate(self, *scores: int) -> None:
        """Answer the questions of the page that is open or about to open, and send them."""
        self.page.wait_for_url("**/rate/")
        for question, score in zip(self.page.get_by_role("group").all(), scores, strict=True):
            question.get_by_role("radio", name=re.compile(f"^{score}")).check()
        self.button("Send my ratings").click()

    @property
    def replies(self) -> Locator:
        return self.page.locator("#log .said:not(.mine) .words")

    @property
    def log(self) -> list[str]:
        """Everything said in the talk so far."""
        return self.page.locator("#log .words").all_inner_texts()

    # --- What is looked at ---

    def faults(self) -> list[str]:
        """What is wrong with the page as it stands: axe's violations, and sideways scrolling."""
        found = Axe().run(self.page, options={"runOnly": {"type": "tag", "values": RULES}})
        faults = [
            f"{violation['id']}: {node['target']} {node['failureSummary']}"
            for violation in found.response["violations"]
            for node in violation["nodes"]
        ]
        width = self.page.evaluate(
            "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )
        return [*faults, f"scrolls sideways by {width} px"] if width > 0 else faults
