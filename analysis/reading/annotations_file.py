"""Annotations that were made anywhere, from a CSV file with a line for each judgement.

Columns: annotator_id, unit_id, label; where units were judged on several questions also question. A file with a single
fault is refused whole, as one of ratings is.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from analysis.reading.csv_rows import CsvFile, Faults, quoted
from analysis.statistics.means import Integers

REQUIRED = ("annotator_id", "unit_id", "label")
QUESTION = "question"
NAMES = (*REQUIRED, QUESTION)


@dataclass(frozen=True, slots=True)
class Annotations:
    """Judgements, (J,) each, as places in sorted names; without a column of questions there is one, without a name.

    ``rows`` and ``blank`` count lines, ``unused`` names further columns. ``sha256`` knows what was judged how by one
    and the same annotator, and not what annotators are called, nor the order of lines.
    """

    annotators: tuple[str, ...]
    units: tuple[str, ...]
    labels: tuple[str, ...]
    questions: tuple[str, ...]
    annotator: Integers
    unit: Integers
    label: Integers
    question: Integers
    rows: int
    blank: int
    unused: tuple[str, ...]
    sha256: str


def read_annotations(path: Path) -> Annotations:
    """Read a file. Raises UnreadableFile, and FileRefused with what is wrong in which line and column."""
    file, read = CsvFile(path, REQUIRED, (QUESTION,)), _Reading()
    for piece in file.pieces():
        for name in NAMES:
            texts = piece.columns.get(name, [""] * len(piece.lines))
            if name in piece.columns:
                _tell_empty(file.faults, piece.lines, name, texts)
            read.texts[name] += texts
        read.lines += piece.lines
    if not file.rows:
        file.faults.add(1, "", "no judgement stands below the first line")
    _check_once(read, file.faults)
    for name in ("label", QUESTION):
        file.faults.add_many(name, len(set(read.texts[name])))
    file.faults.refuse(path.name, file.rows)
    return _numbered(read, file)


@dataclass(slots=True)
class _Reading:
    lines: list[int] = field(default_factory=list)
    texts: dict[str, list[str]] = field(default_factory=lambda: {name: [] for name in NAMES})

    def rows(self, *names: str) -> Iterator[tuple[str, ...]]:
        return zip(*(self.texts[name] for name in names), strict=True)


def _tell_empty(faults: Faults, lines: Sequence[int], name: str, texts: Sequence[str]) -> None:
    empty = [line for line, text in zip(lines, texts, strict=True) if not text]
    faults.add_all(empty, name, lambda place: "empty; leave the line out where nothing was judged")


def _check_once(read: _Reading, faults: Faults) -> None:
    """An annotator answers a question about a unit once."""
    before: dict[tuple[str, ...], int] = {}
    for line, key in zip(read.lines, read.rows("annotator_id", "unit_id", QUESTION), strict=True):
        if all(key[:2]) and key in before:
            who, unit, _ = key
            faults.add(
                line,
                "unit_id",
                f"{quoted(unit)} was judged by {quoted(who)} on line {before[key]} already; where several labels may "
                "be chosen, make each a question of its own",
            )
        before.setdefault(key, line)


def _numbered(read: _Reading, file: CsvFile) -> Annotations:
    names, codes = {}, {}
    for name in NAMES:
        found, place = np.unique(np.array(read.texts[name], dtype=object), return_inverse=True)
        names[name], codes[name] = tuple(map(str, found)), place.astype(np.int64)
    return Annotations(
        annotators=names["annotator_id"],
        units=names["unit_id"],
        labels=names["label"],
        questions=names[QUESTION],
        annotator=codes["annotator_id"],
        unit=codes["unit_id"],
        label=codes["label"],
        question=codes[QUESTION],
        rows=file.rows,
        blank=file.blank,
        unused=file.unused,
        sha256=_hash(read),
    )


def _hash(read: _Reading) -> str:
    """SHA-256 of the sorted hashes of annotators, each of its sorted judgements as a line of JSON."""
    of: dict[str, list[tuple[str, ...]]] = {}
    for who, *judgement in read.rows("annotator_id", QUESTION, "unit_id", "label"):
        of.setdefault(who, []).append(tuple(judgement))
    lines = (json.dumps(sorted(given), ensure_ascii=False).encode() for given in of.values())
    return hashlib.sha256(b"".join(sorted(hashlib.sha256(line).digest() for line in lines))).hexdigest()
