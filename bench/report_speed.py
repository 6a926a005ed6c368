# ruff: noqa: E402 (settings are read when the first of our modules is imported)
"""How long a report on many ratings takes: from arrays to Table 7, and from a CSV file to a page.

.venv/bin/python bench/report_speed.py [--ratings 1000000] [--workers 25000] [--models 8] [--rounds 5]

Set OMP_NUM_THREADS=1 for figures of one core. The ratings are drawn: 4 axes, workers of different leniency.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
FOLDER = tempfile.TemporaryDirectory(prefix="colloquy-bench-")
# Settings want a data folder; nothing is read from it, and no database is made.
os.environ |= {"COLLOQUY_DATA": FOLDER.name, "DJANGO_SETTINGS_MODULE": "evalsite.settings"}

import django

django.setup()

from machine import memory_mb, show

from analysis.exports import report_html
from analysis.inference import Source, analyse
from analysis.reading.ratings_file import read_ratings
from analysis.reading.ratings_frame import Columns, RatingsFrame, from_columns
from analysis.statistics import means
from analysis.statistics.interval_methods import IntervalOptions
from analysis.writeup.report import written

AXES = ("knowledge", "empathy", "personal", "overall")
T = TypeVar("T")


def drawn(ratings: int, workers: int, models: int) -> Columns:
    """Talks dealt at random, each rated on all axes."""
    draw = np.random.default_rng(1)
    talks = ratings // len(AXES)
    worker, model = draw.integers(0, workers, talks), draw.integers(0, models, talks)
    level = 3 + draw.normal(0, 0.6, workers)[worker] + np.linspace(-0.4, 0.4, models)[model]
    score = np.clip(np.round(level[:, None] + draw.normal(0, 1, (talks, len(AXES)))), 1, 5)
    used, worker = np.unique(worker, return_inverse=True)
    return Columns(
        people=[f"w{number:06d}" for number in used],
        talks=[f"c{number:07d}" for number in range(talks)],
        models=[f"model {number}" for number in range(models)],
        axes=AXES,
        worker=np.repeat(worker, len(AXES)),
        talk=np.repeat(np.arange(talks), len(AXES)),
        model=np.repeat(model, len(AXES)),
        axis=np.tile(np.arange(len(AXES)), talks),
        score=score.ravel(),
    )


def write_csv(given: Columns, path: Path) -> None:
    with path.open("w", encoding="utf-8") as file:
        file.write("worker_id,model,conversation_id,axis,rating\n")
        for worker, model, talk, axis, score in zip(
            given.worker, given.model, given.talk, given.axis, given.score, strict=True
        ):
            file.write(
                f"{given.people[worker]},{given.models[model]},{given.talks[talk]},{given.axes[axis]},{score:g}\n"
            )


def table7_cells(frame: RatingsFrame) -> None:
    """Everything that the 32 cells of Table 7 need."""
    cells = means.summarise(frame.table())
    means.bold(cells, means.wilson_cr2(cells))


def rounds(columns: Columns, number: int) -> list[float]:
    """Seconds that Table 7 takes, the fastest first."""
    frame, _ = from_columns(columns, "bench", "Bench")
    return sorted(timed(lambda: table7_cells(frame))[0] for _ in range(number))


def timed(work: Callable[[], T]) -> tuple[float, T]:
    began = time.perf_counter()
    result = work()
    return time.perf_counter() - began, result


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--ratings", type=int, default=1_000_000)
    options.add_argument("--workers", type=int, default=25_000)
    options.add_argument("--models", type=int, default=8)
    options.add_argument("--rounds", type=int, default=5)
    given = options.parse_args()
    columns = drawn(given.ratings, given.workers, given.models)
    cells = rounds(columns, given.rounds)
    path = Path(FOLDER.name) / "ratings.csv"
    write_csv(columns, path)
    del columns
    reading, read = timed(lambda: read_ratings(path))
    analysing, analysis = timed(lambda: analyse(read.frame, Source("bench", True), IntervalOptions()))
    writing, page = timed(lambda: report_html.render(written(analysis)))
    show(
        f"{given.ratings:,} ratings by {given.workers:,} workers, {given.models} models, {len(AXES)} axes",
        [
            (
                "Table 7 from arrays",
                f"{cells[0]:.3f} s the fastest of {given.rounds}, {cells[-1]:.3f} the slowest",
            ),
            ("reading the CSV file", f"{reading:.2f} s, {path.stat().st_size / 1e6:.0f} MB"),
            ("all inference", f"{analysing:.2f} s"),
            ("writing the page", f"{writing:.2f} s, {len(page) / 1e3:.0f} kB"),
            ("CSV file to page", f"{reading + analysing + writing:.2f} s"),
            ("most memory", f"{memory_mb(os.getpid())[1]:.0f} MB"),
        ],
    )


if __name__ == "__main__":
    main()
