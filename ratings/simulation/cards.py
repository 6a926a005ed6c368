"""What a worker is shown beside the messages, read from a talk's page."""

from __future__ import annotations

from ratings.simulation.pages import Page, words
from ratings.simulation.talking import Card


def read_card(page: Page) -> Card:
    """What a talk's page shows beside the messages."""

    def shown(name: str) -> str:
        return next((words(element) for element in page.with_class(name)), "")

    room = page.json("room-data")
    return Card(tuple(room["personas"]), shown("subject"), shown("situation"), _seeds(page))


def _seeds(page: Page) -> tuple[str, ...]:
    """The messages before the talk, without the label that only screen readers read."""
    return tuple(
        (element[0].tail or "").strip() if len(element) else words(element)
        for element in page.with_class("seed")
    )
