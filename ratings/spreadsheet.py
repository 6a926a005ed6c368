"""Cells of files that people open in a spreadsheet. Pure."""

from __future__ import annotations

#: A spreadsheet takes a cell that begins with one of these for a formula; in East Asia with the wide ones too.
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", *"＝＋－＠")


def safe(text: str) -> str:
    """The text, with an apostrophe before what a spreadsheet would run as a formula."""
    return f"'{text}" if text.lstrip(" ").startswith(FORMULA_STARTS) else text
