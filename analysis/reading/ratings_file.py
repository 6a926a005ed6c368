"""Ratings that were collected elsewhere, from a CSV file with a line for each rating.

Columns: worker_id, model, conversation_id, axis, rating; where known also started_at and ended_at (ISO 8601), context,
turns and reply_seconds of the conversation. A file with a single fault is refused whole: a report on what is left of
a broken file would be a report on something that nobody chose.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TypeVar

import numpy as np
from django.utils.text import slugify
from numpy.typing import NDArray

from analysis.reading.csv_rows import CsvFile, Faults, Piece, number, quoted, shown
from analysis.reading.ratings_frame import Columns, RatingsFrame, from_columns
from analysis.statistics.covariates import Factor, Number, doublings
from analysis.statistics.means import PAPER_SCALE, Floats, Integers, Scale

#: Of contexts whose effects are told: a regression takes the square of their number for each worker.
MOST_CONTEXTS = 30
#: Of a count or of seconds; 30 years.
MOST = 1e9
IDS = ("worker_id", "model", "conversation_id", "axis")
REQUIRED = (*IDS, "rating")
TIMES = ("started_at", "ended_at")
OPTIONAL = (*TIMES, "context", "turns", "reply_seconds")
Tell = Callable[[int], None]
T = TypeVar("T", np.int64, np.float64)


@dataclass(frozen=True, slots=True)
class RatingsFile:
    """What a file holds: ratings, what else is known of each, and what was read and not used.

    ``covariates`` have an entry for each rating of the frame. ``incomplete`` counts answers (a worker's ratings of a
    talk) without a rating on some axis, ``answers`` all of them, ``blank`` empty lines; ``unused`` names further
    columns.
    """

    frame: RatingsFrame
    covariates: tuple[Factor | Number, ...]
    rows: int
    answers: int
    incomplete: int
    blank: int
    unused: tuple[str, ...]


def read_ratings(
    path: Path, scale: Scale = PAPER_SCALE, title: str = "", tell: Tell = lambda rows: None
) -> RatingsFile:
    """Read a file; ``tell`` hears after each piece how many rows were read.

    Raises UnreadableFile, and FileRefused with what is wrong in which line and column.
    """
    file = CsvFile(path, REQUIRED, OPTIONAL)
    read = _Reading(scale, file.faults)
    for piece in file.pieces():
        read.take(piece)
        tell(file.rows)
    if not file.rows:
        file.faults.add(1, "", "no rating stands below the first line")
    columns = read.columns()
    _check_talks(columns, _joined(read.lines, np.int64), file.faults)
    file.faults.add_many("model", len(columns.models))
    file.faults.add_many("axis", len(columns.axes))
    file.faults.refuse(path.name, file.rows)
    frame, order = from_columns(columns, slugify(path.stem) or "ratings", shown(title or path.name))
    rated = _rated(frame)
    return RatingsFile(
        frame=frame,
        covariates=tuple(read.covariates(order)),
        rows=file.rows,
        answers=len(rated),
        incomplete=int((rated < len(frame.axes)).sum()),
        blank=file.blank,
        unused=(*file.unused, *read.unused()),
    )


def _rated(frame: RatingsFrame) -> Integers:
    """On how many axes each worker rated each of their talks."""
    return np.unique(frame.worker * (int(frame.talk.max()) + 1) + frame.talk, return_counts=True)[1]


@dataclass(slots=True)
class _Reading:
    """Numbers for names, piece by piece. What has a fault keeps its row, so that later checks see the rest."""

    scale: Scale
    faults: Faults
    names: dict[str, dict[str, int]] = field(default_factory=lambda: {name: {} for name in (*IDS, "context")})
    codes: dict[str, list[Integers]] = field(default_factory=lambda: {name: [] for name in (*IDS, "context")})
    lines: list[Integers] = field(default_factory=list)
    scores: list[Floats] = field(default_factory=list)
    numbers: dict[str, list[Floats]] = field(default_factory=dict)

    def take(self, piece: Piece) -> None:
        self.lines.append(np.array(piece.lines, dtype=np.int64))
        for name in (*IDS, "context"):
            if name in piece.columns:
                self._code(piece, name)
        self.scores.append(self._ratings(piece))
        for name in ("turns", "reply_seconds"):
            if name in piece.columns:
                self.numbers.setdefault(name, []).append(self._measured(piece, name))
        if set(TIMES) <= piece.columns.keys():
            self.numbers.setdefault("seconds", []).append(_durations(piece, self.faults))

    def columns(self) -> Columns:
        worker, model, talk, axis = (_joined(self.codes[name], np.int64) for name in IDS)
        people, models, talks, axes = (tuple(self.names[name]) for name in IDS)
        score = _joined(self.scores, np.float64)
        return Columns(people, talks, models, axes, worker, talk, model, axis, score)

    def covariates(self, order: Integers) -> Iterator[Factor | Number]:
        """What the file tells beside ratings, in the order of the frame."""
        context, levels = self.names["context"], self.contexts()
        if context and len(levels) <= MOST_CONTEXTS:
            rank = {name: number for number, name in enumerate(levels)}
            place = np.array([rank.get(name, -1) for name in context], dtype=np.int64)
            yield Factor("context", tuple(levels), place[_joined(self.codes["context"], np.int64)][order])
        known = {name: _joined(parts, np.float64)[order] for name, parts in self.numbers.items()}
        if "turns" in known:
            yield Number("turns", "one more", known["turns"])
        if "reply_seconds" in known:
            yield Number("reply time", "twice as long", doublings(known["reply_seconds"]))
        if "seconds" in known:
            yield Number("time of the talk", "twice as long", doublings(known["seconds"]))

    def contexts(self) -> list[str]:
        return sorted(name for name in self.names["context"] if name)

    def unused(self) -> Iterator[str]:
        """A column that is known and not used, with the reason."""
        if len(names := self.contexts()) > MOST_CONTEXTS:
            yield f"context ({len(names):,} different names; effects are told of {MOST_CONTEXTS} at most)"

    def _code(self, piece: Piece, name: str) -> None:
        """Numbers in the order of first appearance; an empty id is a fault."""
        texts, seen = piece.columns[name], self.names[name]
        self.codes[name].append(
            np.array([seen.setdefault(text, len(seen)) for text in texts], dtype=np.int64)
        )
        if name in IDS and "" in seen:
            empty = [line for line, text in zip(piece.lines, texts, strict=True) if not text]
            self.faults.add_all(empty, name, lambda place: "empty; expected is a name that tells it apart")

    def _ratings(self, piece: Piece) -> Floats:
        low, high = self.scale.low, self.scale.high
        values = _numbers(piece.columns["rating"])
        self._tell_wrong(piece, "rating", values, low, high, f"a number from {low:g} to {high:g}")
        return values

    def _measured(self, piece: Piece, name: str) -> Floats:
        """A number that is not negative; NaN where nothing stands."""
        texts = piece.columns[name]
        values = _numbers([text or "0" for text in texts])
        self._tell_wrong(
            piece, name, values, 0, MOST, f"a number from 0 to {MOST:,.0f}, or nothing where it is not known"
        )
        return np.where([not text for text in texts], np.nan, values)

    def _tell_wrong(
        self, piece: Piece, name: str, values: Floats, low: float, high: float, expected: str
    ) -> None:
        wrong = np.flatnonzero(~((values >= low) & (values <= high) & np.isfinite(values)))
        texts = piece.columns[name]

        def what(place: int) -> str:
            text = texts[wrong[place]]
            return f"{quoted(text)}; expected is {expected}" if text else f"empty; expected is {expected}"

        self.faults.add_all([piece.lines[row] for row in wrong], name, what)


def _numbers(texts: Sequence[str]) -> Floats:
    """The numbers that the texts are, NaN for those that are none."""
    try:
        if "_" not in "".join(texts):  # Python's own 1_000
            return np.array(list(map(float, texts)))
    except ValueError:
        pass
    return np.array([number(text) for text in texts])


def _durations(piece: Piece, faults: Faults) -> Floats:
    """Seconds from each start to each end; NaN where either is not known."""
    found, before, seconds = np.empty(len(piece.lines)), ("", ""), math.nan
    begins, ends = (piece.columns[name] for name in TIMES)
    for row, times in enumerate(zip(begins, ends, strict=True)):
        if times != before:  # the rows of a talk often follow one another
            before, seconds = times, _seconds(times, piece.lines[row], faults)
        found[row] = seconds
    return found


def _seconds(times: tuple[str, str], line: int, faults: Faults) -> float:
    moments = []
    for name, text in zip(TIMES, times, strict=True):
        try:
            moments.append(datetime.fromisoformat(text) if text else None)
        except ValueError:
            faults.add(line, name, f"{quoted(text)}; expected is a time such as 2020-05-01T14:30:00Z")
            return math.nan
    begin, end = moments
    if begin is None or end is None:
        return math.nan
    if (begin.tzinfo is None) != (end.tzinfo is None):
        faults.add(line, "ended_at", "only one of the two times has a time zone; give both one, or neither")
        return math.nan
    if end < begin:
        faults.add(line, "ended_at", f"{quoted(times[1])} is before started_at, {quoted(times[0])}")
        return math.nan
    return (end - begin).total_seconds()


# --- Whole talks --------------------------------------------------------------------------------------------


def _check_talks(columns: Columns, lines: Integers, faults: Faults) -> None:
    """A talk has one model, and of each of its workers at most one rating on an axis."""
    named = np.ones(len(lines), dtype=bool)
    for names, codes in (
        (columns.people, columns.worker),
        (columns.talks, columns.talk),
        (columns.models, columns.model),
        (columns.axes, columns.axis),
    ):
        named &= np.array([bool(name) for name in names], dtype=bool)[codes]
    worker, talk, model, axis = (
        codes[named] for codes in (columns.worker, columns.talk, columns.model, columns.axis)
    )
    _check_model(columns, lines[named], talk, model, faults)
    _check_once(columns, lines[named], (worker, talk, axis), faults)


def _check_model(columns: Columns, lines: Integers, talk: Integers, model: Integers, faults: Faults) -> None:
    earlier = _earliest(talk)
    other = np.flatnonzero(model != model[earlier])

    def what(place: int) -> str:
        row = other[place]
        first = earlier[row]
        return (
            f"{quoted(columns.models[model[row]])} in conversation {quoted(columns.talks[talk[row]])}, which has "
            f"{quoted(columns.models[model[first]])} on line {lines[first]}; a conversation has one"
        )

    faults.add_all(lines[other].tolist(), "model", what)


def _check_once(
    columns: Columns, lines: Integers, codes: tuple[Integers, Integers, Integers], faults: Faults
) -> None:
    """``codes`` are worker, talk and axis."""
    worker, talk, axis = codes
    earlier = _earliest((worker * len(columns.talks) + talk) * max(len(columns.axes), 1) + axis)
    again = np.flatnonzero(earlier != np.arange(len(earlier)))

    def what(place: int) -> str:
        row = again[place]
        name, conversation = columns.axes[axis[row]], columns.talks[talk[row]]
        return (
            f"{quoted(name)} of conversation {quoted(conversation)} was rated by "
            f"{quoted(columns.people[worker[row]])} on line {lines[earlier[row]]} already; a worker rates it once"
        )

    faults.add_all(lines[again].tolist(), "axis", what)


def _earliest(keys: Integers) -> Integers:
    """For each entry the place of the first one with its key."""
    _, first, place = np.unique(keys, return_index=True, return_inverse=True)
    return first[place].astype(np.int64)


def _joined(parts: Sequence[NDArray[T]], kind: type[T]) -> NDArray[T]:
    return np.concatenate(parts) if parts else np.empty(0, dtype=kind)
