"""Chromium for the tests that need a browser.

A session of Playwright's synchronous interface leaves a running loop in its thread: Django's database and pytest's
asynchronous tests refuse to run beside it, and so does a second session. Close it before a test that is not the
browser's; a module at a time is enough.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")


@contextlib.contextmanager
def open_chromium() -> Iterator[Browser]:
    """CHROMIUM names another program than the one on the path.

    Where there is none the test is skipped, saying so; with COLLOQUY_REQUIRE_SERVICES=1 it fails.
    """
    program = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
    if program is None:
        sentence = "no Chromium found: install one (apt install chromium), or name its program by CHROMIUM"
        if os.environ.get("COLLOQUY_REQUIRE_SERVICES") == "1":
            pytest.fail(sentence)
        pytest.skip(sentence)
    options = ["--disable-gpu", *(["--no-sandbox"] if os.geteuid() == 0 else [])]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=options)
        try:
            yield browser
        finally:
            browser.close()
