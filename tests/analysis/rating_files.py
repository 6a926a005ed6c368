"""Files of ratings for tests, and frames made of a few ratings."""

from __future__ import annotations

import csv
import random
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from analysis.reading.ratings_frame import Columns, RatingsFrame, from_columns

HEADER = ("worker_id", "model", "conversation_id", "axis", "rating")
Row = Sequence[object]


def write_ratings(path: Path, rows: Iterable[Row], header: Sequence[str] = HEADER) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        writer.writerows(rows)
    return path


def drawn_rows(
    talks: int = 90,
    workers: int = 12,
    models: Sequence[str] = ("Ape", "Bee", "Cat"),
    axes: Sequence[str] = ("empathy", "overall"),
    seed: int = 1,
) -> list[tuple[str, str, str, str, int]]:
    """Whole-number ratings from 1 to 5 by workers who differ; later models are rated higher."""
    draw = random.Random(seed)
    lenient = [draw.gauss(0, 0.6) for _ in range(workers)]
    rows = []
    for talk in range(talks):
        worker, model = draw.randrange(workers), talk % len(models)
        for axis in axes:
            score = round(2.6 + 0.4 * model + lenient[worker] + draw.gauss(0, 0.9))
            rows.append((f"w{worker}", models[model], f"c{talk}", axis, min(max(score, 1), 5)))
    return rows


def frame_of(rows: Iterable[Row]) -> RatingsFrame:
    """A frame of rows that are as in a file."""
    return framed(rows)[0]


def framed(rows: Iterable[Row]) -> tuple[RatingsFrame, list[int]]:
    """A frame, and where its ratings stood among the rows."""
    worker, model, talk, axis, score = zip(*rows, strict=True)
    names = [list(dict.fromkeys(column)) for column in (worker, talk, model, axis)]
    codes = [
        np.array([known.index(name) for name in column], dtype=np.int64)
        for known, column in zip(names, (worker, talk, model, axis), strict=True)
    ]
    columns = Columns(*names, *codes, np.array(score, dtype=float))
    frame, order = from_columns(columns, "study", "A study")
    return frame, order.tolist()
