"""Reading the text and JSON files of data sets so that every fault is named by its place.

A reader takes ``skipped``. Without it the first fault is raised. With a list, the dialogue (or persona, or topic) in
which the fault stands is left out whole and the fault is added to the list, so that the caller can show it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence, Sized
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from modelhub.datasets.errors import DatasetError, DatasetMissing, EmptyFile, MalformedLine

Skipped = list[MalformedLine]
T = TypeVar("T")

_WHITE = " \t\r\n"


class BadField(ValueError):
    """A field is not what its format says; becomes a MalformedLine where file and line are known."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line without its end. ``fault`` tells why it cannot be used; bytes that are not UTF-8 came as U+FFFD."""

    number: int
    text: str
    fault: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """One value of a JSON file that holds a list; both numbers count from 1."""

    number: int
    line: int
    value: Any


def refuse_or_skip(fault: MalformedLine, skipped: Skipped | None) -> None:
    """Raise the fault, or note it where a list is given."""
    if skipped is None:
        raise fault
    skipped.append(fault)


def check_not_empty(path: Path, found: Sized, skipped: Skipped | None) -> None:
    """Raises EmptyFile when nothing was found."""
    if not found:
        faults = len(skipped or ())
        raise EmptyFile(
            f"{path} holds nothing that can be used"
            + (f", the first of {faults} faults is at line {skipped[0].at}" if skipped else "")
            + "; fetch it again, or name another folder"
        )


def lines(path: Path) -> Iterator[Line]:
    """The lines that are not empty.

    Split at line feeds alone: other separators, such as U+2028, occur inside utterances.
    """
    for number, raw in enumerate(_bytes(path).split(b"\n"), 1):
        raw = raw.removesuffix(b"\r")
        if not raw:
            continue
        try:
            yield Line(number, raw.decode("utf-8"))
        except UnicodeDecodeError as error:
            fault = f"not UTF-8 ({error.reason} at byte {error.start})"
            yield Line(number, raw.decode("utf-8", "replace"), fault)


def parsed(
    path: Path, parse: Callable[[int, dict[str, Any]], T], skipped: Skipped | None = None
) -> Iterator[T]:
    """What ``parse`` makes of each object of a JSON list and its number, the first is 1.

    ``parse`` raises BadField for an object that it cannot use.
    """
    for entry in _entries(path):
        try:
            yield parse(entry.number, as_object(entry.value, "the entry"))
        except BadField as error:
            fault = MalformedLine(path, entry.line, f"entry {entry.number}: {error}")
            refuse_or_skip(fault, skipped)


def as_text(value: object, what: str) -> str:
    """A string that can be written as UTF-8; raises BadField. JSON can spell halves of surrogate pairs."""
    if not isinstance(value, str):
        raise BadField(f"{what} is {_shown(value)} where a text was expected")
    try:
        value.encode("utf-8")
    except UnicodeEncodeError as error:
        raise BadField(f"{what} cannot be written as UTF-8 ({error.reason})") from error
    return value


def as_list(value: object, what: str) -> list[Any]:
    """Raises BadField."""
    if not isinstance(value, list):
        raise BadField(f"{what} is {_shown(value)} where a list was expected")
    return value


def as_texts(value: object, what: str) -> tuple[str, ...]:
    """Raises BadField."""
    return tuple(as_text(each, f"{what} {place}") for place, each in enumerate(as_list(value, what), 1))


def as_object(value: object, what: str) -> dict[str, Any]:
    """Raises BadField."""
    if not isinstance(value, dict):
        raise BadField(f"{what} is {_shown(value)} where an object was expected")
    return value


def with_label(label: str, candidates: Sequence[str], what: str = "the label") -> tuple[str, ...]:
    """The candidates that a file lists for a label, the label among them exactly as it was said.

    Some official files differ in outer white space. Raises BadField where the label is missing.
    """
    same = [candidate.strip() == label.strip() for candidate in candidates]
    if not any(same):
        raise BadField(f"{what} is not among its {len(candidates)} candidates")
    return tuple(label if is_label else text for text, is_label in zip(candidates, same, strict=True))


def _entries(path: Path) -> Iterator[Entry]:
    """One value at a time: the largest official file is hundreds of megabytes."""
    text = _json_text(path)
    decoder = json.JSONDecoder()
    place = _after_white(text, 0)
    if text[place : place + 1] != "[":
        raise MalformedLine(path, 1, "not a JSON list of dialogues")
    place = _after_white(text, place + 1)
    line, counted = 1, 0
    number = 0
    while text[place : place + 1] != "]" or number:
        number += 1
        line, counted = line + text.count("\n", counted, place), place
        try:
            value, place = decoder.raw_decode(text, place)
            yield Entry(number, line, value)
            place = _after_white(text, place)
            if text[place : place + 1] == "]":
                break
            if text[place : place + 1] != ",":
                raise json.JSONDecodeError("',' or ']' was expected", text, place)
            place = _after_white(text, place + 1)
        except json.JSONDecodeError as error:
            raise MalformedLine(path, error.lineno, f"not JSON ({error.msg})") from error
        except (RecursionError, ValueError) as error:
            # Brackets without end, or a number of thousands of digits.
            raise MalformedLine(path, line, f"entry {number}: not usable JSON ({error})") from error
    _check_end(path, text, place + 1)


def _json_text(path: Path) -> str:
    content = _bytes(path)
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise MalformedLine(path, line, f"not UTF-8 ({error.reason} at byte {error.start})") from error


def _after_white(text: str, place: int) -> int:
    while text[place : place + 1] and text[place] in _WHITE:
        place += 1
    return place


def _check_end(path: Path, text: str, place: int) -> None:
    place = _after_white(text, place)
    if place < len(text):
        raise MalformedLine(path, text.count("\n", 0, place) + 1, "not JSON (more after the end of the list)")


def _shown(value: object) -> str:
    """Short enough for a message."""
    if value is None:
        return "missing or null"
    if isinstance(value, dict | list):
        return "an object" if isinstance(value, dict) else "a list"
    return repr(value) if len(repr(value)) < 40 else f"{repr(value)[:37]}..."


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError as error:
        raise DatasetMissing(f"{path} is missing") from error
    except OSError as error:
        raise DatasetError(f"{path} cannot be read ({error.strerror})") from error
