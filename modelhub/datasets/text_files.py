"""Reading the text and JSON files of data sets so that every fault is named by its place."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from modelhub.datasets.errors import DatasetMissing, MalformedLine


def lines(path: Path) -> Iterator[tuple[int, str]]:
    """Numbered lines without their ends; raises MalformedLine for bytes that are not UTF-8.

    Split at line feeds alone: other separators, such as U+2028, occur inside utterances.
    """
    for number, raw in enumerate(_bytes(path).split(b"\n"), 1):
        try:
            line = raw.decode("utf-8").removesuffix("\r")
        except UnicodeDecodeError as error:
            raise MalformedLine(path, number, f"not UTF-8 ({error.reason} at byte {error.start})") from error
        if line:
            yield number, line


def entries(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Numbered objects of a JSON file that holds a list; the first is 1."""
    try:
        content = json.loads(_bytes(path).decode("utf-8"))
    except UnicodeDecodeError as error:
        raise MalformedLine(path, f"byte {error.start}", f"not UTF-8 ({error.reason})") from error
    except json.JSONDecodeError as error:
        raise MalformedLine(path, error.lineno, f"not JSON ({error.msg})") from error
    if not isinstance(content, list):
        raise MalformedLine(path, 1, "a list of dialogues was expected")
    for number, entry in enumerate(content, 1):
        if not isinstance(entry, dict):
            raise MalformedLine(path, f"entry {number}", "an object was expected")
        yield number, entry


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError as error:
        raise DatasetMissing(f"{path} is missing") from error
