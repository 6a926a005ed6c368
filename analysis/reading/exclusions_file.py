"""Rules of exclusion that were applied elsewhere: a CSV file with the columns worker_id and rule."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from analysis.reading.csv_rows import CsvFile
from analysis.reading.ratings_frame import RatingsFrame, Without

COLUMNS = ("worker_id", "rule")
ALL_RULES = "all rules together"


def read_exclusions(path: Path) -> dict[str, set[str]]:
    """Workers by the rule that leaves them out, rules in the order of their names.

    Raises UnreadableFile, and FileRefused with what is wrong in which line and column.
    """
    file = CsvFile(path, COLUMNS)
    found: dict[str, set[str]] = {}
    for piece in file.pieces():
        workers, rules = (piece.columns[name] for name in COLUMNS)
        for line, worker, rule in zip(piece.lines, workers, rules, strict=True):
            for name, text in zip(COLUMNS, (worker, rule), strict=True):
                if not text:
                    file.faults.add(line, name, "empty; each line names a worker and a rule")
            found.setdefault(rule, set()).add(worker)
    file.faults.add_many("rule", len(found))
    if not file.rows:
        file.faults.add(1, "", "no line stands below the first")
    file.faults.refuse(path.name, file.rows)
    return dict(sorted(found.items()))


def without_each(frame: RatingsFrame, rules: Mapping[str, set[str]]) -> Without:
    """What is left of a frame under each rule, and under all of them where there are several."""
    together = {ALL_RULES: set().union(*rules.values())} if len(rules) > 1 else {}
    return Without(frame, {**rules, **together})


def strangers(frame: RatingsFrame, rules: Mapping[str, set[str]]) -> int:
    """How many workers the rules name who have no ratings."""
    return len(set().union(*rules.values()) - {str(person) for person in frame.people})
