"""A kind of record: what it is called, what it is made of, and how it is read."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from analysis.exports.data.schema import Field, Record
from analysis.exports.data.source import Source


@dataclass(frozen=True, slots=True)
class Kind:
    """``version`` grows when a reader of the old records could misread the new ones.

    ``key`` is the field that names a record; ``table`` is the list of rows that gets a table of its own where a format
    has no lists of rows.
    """

    name: str
    about: str
    fields: tuple[Field, ...]
    read: Callable[[Source], Iterator[Record]]
    version: int = 1
    key: str = ""
    table: str = ""

    @property
    def schema(self) -> str:
        """What every record says of itself."""
        return f"colloquy.{self.name}/{self.version}"

    def field(self, name: str) -> Field:
        return next(field for field in self.fields if field.name == name)
