"""Columns of a CSV file that somebody else wrote, read in pieces; every fault is named by line and column."""

from __future__ import annotations

import codecs
import csv
import io
import math
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from analysis.errors import AnalysisError

#: Faults that are told in words; all are counted.
MOST_FAULTS = 20
#: Few enough that Python's collector of garbage has little to look through: 50,000 took three times as long.
ROWS_AT_ONCE = 1_000
DELIMITERS = ",;\t"
#: Of what a report compares with one another; a column with more names is most likely another one.
MOST_NAMES = 100
LONGEST_QUOTED = 40
LONGEST_HEADER = 65_536
WIDE_BEGINNINGS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
#: What bytes that are no UTF-8 become.
_SURROGATES = re.compile("[\ud800-\udfff]")
#: What neither XML, and so no picture, nor LaTeX can hold.
_UNSHOWN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffe\uffff]")


class UnreadableFile(AnalysisError):
    code = "unreadable_file"


class FileRefused(AnalysisError):
    """A file with faults. ``faults`` holds the first of them, ``count`` tells how many there are."""

    code = "file_refused"

    def __init__(self, name: str, faults: Sequence[Fault], count: int, rows: int) -> None:
        self.faults, self.count = tuple(faults), count
        some = "1 fault" if count == 1 else f"{count:,} faults"
        head = f"{name}: {some} in {rows:,} rows; nothing was analysed."
        rest = [f"... and {count - len(faults):,} more"] if count > len(faults) else []
        super().__init__("\n".join([head, *map(str, faults), *rest]))


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """What is wrong in one place; ``column`` is empty where it is the whole line."""

    line: int
    column: str
    what: str

    def __str__(self) -> str:
        return (
            f"line {self.line}, {self.column}: {self.what}"
            if self.column
            else f"line {self.line}: {self.what}"
        )


@dataclass(slots=True)
class Faults:
    """What was found so far. The first are kept, in the order of lines once all are known."""

    found: list[Fault] = field(default_factory=list)
    count: int = 0

    def add(self, line: int, column: str, what: str) -> None:
        self.count += 1
        self._keep([Fault(line, column, what)])

    def add_all(self, lines: Sequence[int], column: str, what: Callable[[int], str]) -> None:
        """A fault for each of these rising lines; ``what`` is asked with a place among them, for the first alone."""
        self.count += len(lines)
        self._keep([Fault(int(line), column, what(place)) for place, line in enumerate(lines[:MOST_FAULTS])])

    def add_many(self, column: str, names: int) -> None:
        """A fault where a column has more names than can be compared."""
        if names > MOST_NAMES:
            some = f"{names:,} different names; a report compares {MOST_NAMES} at most"
            self.add(1, column, f"{some}. Is it another column?")

    def refuse(self, name: str, rows: int) -> None:
        """Raises FileRefused where there are any."""
        if self.count:
            raise FileRefused(name, self.found, self.count, rows)

    def _keep(self, more: list[Fault]) -> None:
        self.found = sorted([*self.found, *more])[:MOST_FAULTS]


@dataclass(frozen=True, slots=True)
class Piece:
    """Some rows: the line on which each begins, and the wanted columns."""

    lines: list[int]
    columns: dict[str, list[str]]


@dataclass(slots=True)
class CsvFile:
    """A file with a first line of column names, in UTF-8, with commas, semicolons or tabs between fields.

    A byte order mark, Windows' line ends, spaces around fields, capitals in names and further columns do no harm.
    ``rows`` counts what was read, ``blank`` the empty lines between, ``unused`` names the further columns.
    """

    path: Path
    required: tuple[str, ...]
    optional: tuple[str, ...] = ()
    faults: Faults = field(default_factory=Faults)
    rows: int = 0
    blank: int = 0
    unused: tuple[str, ...] = ()

    def pieces(self) -> Iterator[Piece]:
        """Read it once. Raises UnreadableFile, and FileRefused where the first line lacks columns."""
        try:
            if self.path.exists() and not self.path.is_file():
                what = "it is a folder, a pipe or a device; name a CSV file"
                raise UnreadableFile(f"Cannot read {self.path}: {what}.")
            # Bytes that are no UTF-8 become lone surrogates, which ``_check_characters`` finds in their place.
            with self.path.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
                yield from self._pieces(file)
        except OSError as error:
            raise UnreadableFile(f"Cannot read {self.path}: {error.strerror}.") from error

    def _pieces(self, file: io.TextIOWrapper) -> Iterator[Piece]:
        self._check_width()
        records = self._records(file, _delimiter(file))
        _, first = next(records, (1, []))
        names = [name.strip().lower() for name in first]
        self._check_header(names)
        places = {name: names.index(name) for name in (*self.required, *self.optional) if name in names}
        self.unused = tuple(shown(name) for name in names if name and name not in places)
        while read := list(islice(records, ROWS_AT_ONCE)):
            rows = [record for record in read if len(record[1]) == len(names)]
            if len(rows) < len(read):
                self._sort_out(read, len(names))
            if rows:
                yield self._piece(rows, places)

    def _records(self, file: io.TextIOWrapper, delimiter: str) -> Iterator[tuple[int, list[str]]]:
        """Each record with the line on which it begins. What cannot be parsed ends the reading, as a fault."""
        reader = csv.reader(file, delimiter=delimiter, strict=True)
        line = 1
        try:
            for record in reader:
                yield line, record
                line = reader.line_num + 1
        except csv.Error as error:
            self.faults.add(
                line,
                "",
                f"no CSV ({error}); a field with quotes stands in quotes, and its own are doubled; "
                "nothing below was read",
            )

    def _piece(self, rows: list[tuple[int, list[str]]], places: dict[str, int]) -> Piece:
        self.rows += len(rows)
        lines = [line for line, _ in rows]
        fields = list(zip(*(record for _, record in rows), strict=True))
        columns = {name: [text.strip() for text in fields[place]] for name, place in places.items()}
        for name, texts in columns.items():
            self._check_characters(lines, name, texts)
        return Piece(lines, columns)

    def _check_width(self) -> None:
        with self.path.open("rb") as file:
            begin = file.read(4)
        if begin.startswith(WIDE_BEGINNINGS) or b"\0" in begin:
            self.faults.add(1, "", "the file is in UTF-16; save it as UTF-8")
            self.faults.refuse(self.path.name, self.rows)

    def _check_header(self, names: list[str]) -> None:
        if not any(names):
            self.faults.add(1, "", f"the line is empty; expected are the columns {', '.join(self.required)}")
        else:
            for name in dict.fromkeys(names):
                if names.count(name) > 1 and name in (*self.required, *self.optional):
                    self.faults.add(1, name, "the column is there twice; leave one out")
            there = ", ".join(quoted(name) for name in names)
            for name in self.required:
                if name not in names:
                    self.faults.add(1, name, f"the column is missing; the line names {there}")
        self.faults.refuse(self.path.name, self.rows)

    def _sort_out(self, read: list[tuple[int, list[str]]], width: int) -> None:
        """Count the empty lines, name those of another width."""
        for line, record in read:
            if not record:
                self.blank += 1
            elif len(record) != width:
                self.rows += 1
                self.faults.add(line, "", f"{len(record)} fields; the first line names {width} columns")

    def _check_characters(self, lines: list[int], name: str, texts: list[str]) -> None:
        if "".join(texts).isprintable():
            return
        self._tell_found(_SURROGATES, lines, name, texts, "bytes that are no UTF-8", "save the file as UTF-8")
        self._tell_found(_UNSHOWN, lines, name, texts, "characters that cannot be shown", "take them out")

    def _tell_found(
        self, wrong: re.Pattern[str], lines: list[int], name: str, texts: list[str], what: str, remedy: str
    ) -> None:
        places = [place for place, text in enumerate(texts) if wrong.search(text)]
        self.faults.add_all(
            [lines[place] for place in places],
            name,
            lambda number: f"{what} in {quoted(texts[places[number]])}; {remedy}",
        )


def number(text: str) -> float:
    """NaN for what is none; Python's own 1_000 is none."""
    try:
        return math.nan if "_" in text else float(text)
    except ValueError:
        return math.nan


def quoted(text: str) -> str:
    """As Python writes it, shortened: control characters and lone surrogates are written out."""
    return repr(text if len(text) <= LONGEST_QUOTED else f"{text[: LONGEST_QUOTED - 1]}…")


def shown(text: str) -> str:
    """As any format can hold it: what cannot be shown is replaced."""
    return _SURROGATES.sub("\ufffd", _UNSHOWN.sub("\ufffd", text))


def _delimiter(file: io.TextIOWrapper) -> str:
    """What parts the names in the first line."""
    first = file.readline(LONGEST_HEADER)
    file.seek(0)
    return max(DELIMITERS, key=first.count)
