"""What a report consists of. Formats know these values and nothing of statistics."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby

Value = str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class Table:
    """Figures for programs, a line each: names of columns, and rows with a value for each."""

    name: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Value, ...], ...]


@dataclass(frozen=True, slots=True)
class Shown:
    """A field for people; ``strong`` ones stand out, ``aside`` follows in smaller print."""

    text: str
    strong: bool = False
    aside: str = ""


@dataclass(frozen=True, slots=True)
class Grid:
    """A table for people. The first field of a row names it.

    ``detail`` marks one that holds what the section's figures draw: a page may fold it away beside them.
    """

    title: str
    head: tuple[str, ...]
    rows: tuple[tuple[Shown, ...], ...]
    detail: bool = False


@dataclass(frozen=True, slots=True)
class Interval:
    """One line of a forest plot.

    ``reference`` is a figure from elsewhere to compare with, ``note`` what a reader who asks is told besides.
    """

    label: str
    mean: float
    low: float
    high: float
    strong: bool
    reference: float | None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Forest:
    """Intervals under each other on the part of the scale from ``low`` to ``high``."""

    title: str
    low: float
    high: float
    intervals: tuple[Interval, ...]


@dataclass(frozen=True, slots=True)
class Bars:
    """Shares, 0 to 1, of what ``of`` names: they fill a bar for each label, from the lowest of ``values`` on."""

    title: str
    values: tuple[str, ...]
    bars: tuple[tuple[str, tuple[float, ...]], ...]
    of: str = "ratings"


@dataclass(frozen=True, slots=True)
class Matrix:
    """Differences, row minus column, (M, M); None on the diagonal and where there is none. ``sure`` ones stand out.

    A difference of ``full`` has the full colour.
    """

    title: str
    full: float
    labels: tuple[str, ...]
    values: tuple[tuple[float | None, ...], ...]
    sure: tuple[tuple[bool, ...], ...]


@dataclass(frozen=True, slots=True)
class Histogram:
    """How many of what ``counted`` names lie between neighbouring ``edges`` of what ``over`` names: N + 1 edges."""

    title: str
    over: str
    counted: str
    edges: tuple[float, ...]
    counts: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Line:
    """One line of curves; ``strong`` ones stand out. Points are pairs of a number and a share."""

    label: str
    points: tuple[tuple[float, float], ...]
    strong: bool


@dataclass(frozen=True, slots=True)
class Curve:
    """Shares, 0 to 1, of what ``what`` names, over numbers from 0 to ``end`` of what ``over`` names.

    ``wanted`` is the share that is aimed at, ``now`` a number that stands out, at most ``end``: what ``mark`` says.
    """

    title: str
    what: str
    over: str
    lines: tuple[Line, ...]
    end: float
    wanted: float
    now: float
    mark: str = "now"


Figure = Forest | Bars | Matrix | Histogram | Curve


@dataclass(frozen=True, slots=True)
class Section:
    """One part. ``missing`` says in words what cannot be told, and why; ``sources`` are what to read on it."""

    name: str
    title: str
    words: tuple[str, ...]
    missing: tuple[str, ...] = ()
    grids: tuple[Grid, ...] = ()
    figures: tuple[Figure, ...] = ()
    tables: tuple[Table, ...] = ()
    sources: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Part:
    """A sentence of the answer, and in two or three words the question that it is about."""

    question: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What the whole report comes to."""

    title: str
    parts: tuple[Part, ...]

    @property
    def sentences(self) -> tuple[str, ...]:
        return tuple(part.sentence for part in self.parts)

    @property
    def questions(self) -> tuple[tuple[str, str], ...]:
        """Each question with all that is said on it."""
        asked = groupby(self.parts, key=lambda part: part.question)
        return tuple((question, " ".join(part.sentence for part in parts)) for question, parts in asked)


@dataclass(frozen=True, slots=True)
class Document:
    """A whole report. ``facts`` say what it was made of and how: name, words for people, value for programs.

    ``kind`` names its files and their schema.
    """

    title: str
    warning: str
    answer: Answer
    facts: tuple[tuple[str, str, Value], ...]
    sections: tuple[Section, ...]
    kind: str = "report"

    def tables(self) -> tuple[Table, ...]:
        return tuple(table for section in self.sections for table in section.tables)
