"""Chromium on a running site. Without a Chromium these tests are skipped, saying so, unless they must run."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.browser.tab import Tab
from tests.site import studies
from tests.site.running import PROJECT, Site, running_site

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(PROJECT / "tests" / "browser"):
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The starter study with its eight models, and small studies with scripted ones."""
    with running_site(tmp_path_factory.mktemp("site")) as running:
        studies.add_to(running)
        yield running


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """One browser for all tests; CHROMIUM names another program than the one on the path."""
    program = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
    if program is None:
        sentence = "no Chromium found: install one (apt install chromium), or name its program by CHROMIUM"
        if os.environ.get("COLLOQUY_REQUIRE_SERVICES") == "1":
            pytest.fail(sentence)
        pytest.skip(sentence)
    options = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=options)
        yield browser
        browser.close()


@pytest.fixture
def open_tab(chromium: Browser, site: Site) -> Iterator[Callable[..., Tab]]:
    """``open_tab()``: a tab of a new person; ``researcher=True`` signs in. What the pages did wrong fails the test."""
    tabs: list[Tab] = []

    def opened(*, researcher: bool = False, **options: object) -> Tab:
        tab = Tab(chromium.new_context(**options), site)  # type: ignore[arg-type]
        tabs.append(tab)
        if researcher:
            tab.sign_in()
        return tab

    yield opened
    for tab in tabs:
        tab.context.close()
    assert [wrong for tab in tabs for wrong in tab.wrong] == []
