"""Ratings of DUO, one line a talk, in the form that ``manage.py report --ratings`` reads: one line a rating.

    .venv/bin/python bench/duo_ratings.py duo_ratings.csv --language en --to ratings.csv

DUO (people talked with two language models under several prompts and rated the talk) has a column for each axis, empty
where an axis was not asked in that setting. A system is a model with its prompt; the setting, ed or wow, is the
context. The number of messages is left out: it nearly is the setting (20 in one, 21 in the other).
"""

from __future__ import annotations

import argparse
import csv
from collections.abc import Iterator, Mapping
from pathlib import Path

AXES = ("preference", "consistency", "style", "empathy", "engagingness")
COLUMNS = ("worker_id", "model", "conversation_id", "axis", "rating", "context")


def ratings(talk: Mapping[str, str]) -> Iterator[tuple[str, ...]]:
    """The ratings of one talk."""
    system = f"{talk['model']} ({talk['prompt'].replace('_', ' ')})"
    name = f"{talk['setting']}-{talk['lang']}-{talk['dialog']}"
    for axis in AXES:
        if talk[axis]:
            yield talk["worker"], system, name, axis, talk[axis], talk["setting"]


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("file", type=Path)
    options.add_argument("--language", choices=("en", "ja"), required=True)
    options.add_argument("--to", type=Path, required=True)
    given = options.parse_args()
    with (
        given.file.open(newline="", encoding="utf-8") as wide,
        given.to.open("w", newline="", encoding="utf-8") as long,
    ):
        writer = csv.writer(long)
        writer.writerow(COLUMNS)
        for talk in csv.DictReader(wide):
            if talk["lang"] == given.language:
                writer.writerows(ratings(talk))


main()
