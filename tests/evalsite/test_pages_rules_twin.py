"""The page's rules about a message decide as the server's do, case by case, in a real browser."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, Route

from chat import rules
from tests.chromium import open_chromium

pytestmark = pytest.mark.browser

PROJECT = Path(__file__).resolve().parents[2]
CASES = json.loads((PROJECT / "tests/chat/rule_cases.json").read_text())
ORIGIN = "http://rules.test"
DECIDE = """async ([texts, words, personas]) => {
  const rules = await import("/rules.js");
  return texts.map((text) => ({
    words: rules.countWords(text),
    normal: rules.normalise(text),
    refusal: rules.checkMessage(text, words, personas),
  }));
}"""


def text_of(case: dict) -> str:
    return case["text"] * case.get("text_times", 1)


def answer(route: Route) -> None:
    """The module as it is served, and an empty page to import it from."""
    if route.request.url.endswith("/rules.js"):
        module = (PROJECT / "chat/static/chat/rules.js").read_text()
        route.fulfill(body=module, content_type="text/javascript")
    else:
        route.fulfill(body="<!doctype html><title>Rules</title>", content_type="text/html")


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    with open_chromium() as browser:
        page = browser.new_page()
        page.route("**/*", answer)
        page.goto(ORIGIN)
        yield page


@pytest.fixture(scope="module")
def decided(page: Page) -> list[dict]:
    texts = [text_of(case) for case in CASES["cases"]]
    return page.evaluate(DECIDE, [texts, CASES["max_words"], CASES["personas"]])


@pytest.mark.parametrize("number", range(len(CASES["cases"])), ids=[case["name"] for case in CASES["cases"]])
def test_the_page_decides_as_the_case_says(number: int, decided: list[dict]) -> None:
    case, got = CASES["cases"][number], decided[number]
    assert (got["refusal"] or {}).get("code") == case["code"]
    assert got["words"] == case["words"]


def test_the_page_gives_the_server_s_reasons(decided: list[dict]) -> None:
    for case, got in zip(CASES["cases"], decided, strict=True):
        server = rules.check_message(text_of(case), max_words=CASES["max_words"], personas=CASES["personas"])
        assert (got["refusal"] or {}).get("reason") == (server.reason if server else None), case["name"]


def test_every_character_that_python_knows_is_read_alike(page: Page) -> None:
    """The browser's table of Unicode is of a later year; what Python's lacks does not count."""
    known = (code for code in range(0x20, 0x3000) if unicodedata.category(chr(code)) != "Cn")
    ours = {code: rules.normalise(chr(code)) for code in known}
    theirs = page.evaluate(DECIDE, [[chr(code) for code in ours], 30, []])
    differing = [code for code, got in zip(ours, theirs, strict=True) if got["normal"] != ours[code]]
    assert differing == []
