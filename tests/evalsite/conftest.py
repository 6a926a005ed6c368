"""What tests of pages and of health need."""

from __future__ import annotations

import pytest
from django.db import connections

from tests.pages import browser_of, converse, researcher  # noqa: F401


@pytest.fixture
def away(monkeypatch: pytest.MonkeyPatch) -> None:
    """New connections find no database; those that are open already stay."""
    given = dict(connections.settings["default"])
    nowhere = {"NAME": "/nowhere/at.all", "OPTIONS": {}, "HOST": "127.0.0.1", "PORT": 1}
    monkeypatch.setitem(connections.settings, "default", given | nowhere)
