"""Where ratings are too few nothing fails: each part of a report says what is missing."""

from __future__ import annotations

import pytest

from analysis.inference import Source, analyse
from analysis.statistics.interval_methods import IntervalOptions, Method
from analysis.writeup.report import written
from tests.analysis.rating_files import drawn_rows, frame_of

SOURCE = Source("a file", collected_elsewhere=True)

#: Ratings that tell little, and a sentence of the report that says so.
POOR = {
    "one rating": ([("w1", "A", "c1", "overall", 3)], "A has no interval on overall quality."),
    "one model": (drawn_rows(models=["A"]), "A difference takes two models."),
    "one worker": (drawn_rows(workers=1), "one worker gave all ratings"),
    "all the same": ([(*row[:4], 3) for row in drawn_rows()], "no variance is left to compare with"),
    "a worker a talk": (
        [(f"w{row[2]}", *row[1:]) for row in drawn_rows()],
        "too few workers rated two models",
    ),
    "a worker a model": (
        [(f"{row[0]} {row[1]}", *row[1:]) for row in drawn_rows()],
        "no workers, and no chain of workers, rated both",
    ),
    "an axis of one model": (
        [*drawn_rows(), ("w1", "Ape", "c0", "wit", 3)],
        "Ape, Wit: no interval: one rating.",
    ),
}


@pytest.mark.parametrize("method", [Method.WILSON_CR2, Method.BOOTSTRAP])
@pytest.mark.parametrize("name", POOR)
def test_where_ratings_are_too_few_the_report_says_what_is_missing(name: str, method: Method) -> None:
    rows, sentence = POOR[name]
    document = written(analyse(frame_of(rows), SOURCE, IntervalOptions(method, replicates=50)))
    said = [document.answer.title, *document.answer.sentences]
    for section in document.sections:
        said += [*section.words, *section.missing]
        said += [shown.aside for grid in section.grids for row in grid.rows for shown in row]
        said += [str(value) for table in section.tables for row in table.rows for value in row]
    assert any(sentence in words for words in said), "\n".join(said)
    assert "nan" not in said
