"""What a record of an export is made of: fields with a type and a meaning. Pure.

Records are plain values that JSON knows: text, numbers, booleans, None, lists and mappings. Times are text, in UTC, as
``datetime.isoformat`` writes them with microseconds. From the fields come the columns of CSV and Parquet, the card of a
Hugging Face folder, and the tables of docs/exports.md, which a test compares.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

Record = dict[str, Any]


class Type(StrEnum):
    """What a field's values are."""

    TEXT = "text"
    WHOLE = "whole number"
    NUMBER = "number"
    FLAG = "true or false"
    TIME = "time"
    TEXTS = "list of texts"
    ROW = "row"
    ROWS = "list of rows"
    JSON = "JSON"


@dataclass(frozen=True, slots=True)
class Field:
    """``optional`` fields may be null; ``fields`` are those of the row, or of each row, where the type is ROW or ROWS.

    An optional text is never empty: nothing is null, so that formats without null can tell the two apart.
    """

    name: str
    type: Type
    meaning: str
    optional: bool = False
    fields: tuple[Field, ...] = ()


def moment(at: datetime | None) -> str | None:
    """A time as records hold it."""
    return None if at is None else at.astimezone(UTC).isoformat(timespec="microseconds")


def documented(fields: tuple[Field, ...], prefix: str = "") -> Iterator[str]:
    """A Markdown table row for each field; those of rows come after theirs, as ``messages[].text``."""
    for field in fields:
        name = f"{prefix}{field.name}"
        null = ", or null" if field.optional else ""
        yield f"| `{name}` | {field.type}{null} | {field.meaning} |"
        yield from documented(field.fields, f"{name}[]." if field.type is Type.ROWS else f"{name}.")


def faults(record: Record, fields: tuple[Field, ...], where: str = "") -> Iterator[str]:
    """What keeps a record from being one of these fields, each with the field's name; empty where all is well."""
    if set(record) != {field.name for field in fields}:
        missing = sorted({field.name for field in fields} ^ set(record))
        yield f"{where or 'record'}: {', '.join(missing)} missing or not known"
        return
    for field in fields:
        yield from _faults_of(record[field.name], field, f"{where}{field.name}")


def _faults_of(value: Any, field: Field, where: str) -> Iterator[str]:
    if value is None:
        if not field.optional:
            yield f"{where} is null"
    elif field.type is Type.ROWS:
        for place, row in enumerate(value):
            yield from faults(row, field.fields, f"{where}[{place}].")
    elif field.type is Type.ROW:
        yield from faults(value, field.fields, f"{where}.")
    elif not _fits(value, field):
        yield f"{where} is {value!r:.60}, no {field.type}"


def _fits(value: Any, field: Field) -> bool:
    match field.type:
        case Type.TEXT | Type.TIME:
            return isinstance(value, str) and not (field.optional and not value)
        case Type.WHOLE:
            return isinstance(value, int) and not isinstance(value, bool)
        case Type.NUMBER:
            return isinstance(value, int | float) and not isinstance(value, bool)
        case Type.FLAG:
            return isinstance(value, bool)
        case Type.TEXTS:
            return isinstance(value, list) and all(isinstance(each, str) for each in value)
    return True
