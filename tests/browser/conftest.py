"""Chromium on a running site."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser

from tests.browser.tab import Tab
from tests.chromium import open_chromium
from tests.site import studies
from tests.site.running import Site, running_site
from tests.site_process import PROJECT


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(PROJECT / "tests" / "browser"):
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="package")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The starter study with its eight models, and small studies with scripted ones."""
    with running_site(tmp_path_factory.mktemp("site")) as running:
        studies.add_to(running)
        yield running


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """One browser for the tests of a module."""
    with open_chromium() as browser:
        yield browser


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
