"""Connections outside of the pool."""

from __future__ import annotations

from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.utils import ConnectionHandler


def alone(given: dict[str, Any]) -> BaseDatabaseWrapper:
    """A connection of its own to the database of these settings: a pool tries for seconds and hides the reason."""
    options = {name: value for name, value in given["OPTIONS"].items() if name != "pool"}
    return ConnectionHandler({"default": {**given, "OPTIONS": options}})["default"]
