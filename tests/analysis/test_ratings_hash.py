"""The hash of ratings: what they are counts, what people and talks are called does not."""

from __future__ import annotations

import hashlib
import json
import random
import struct
from collections import defaultdict
from collections.abc import Callable

import pytest

from tests.analysis.rating_files import Row, drawn_rows, frame_of

ROWS: list[Row] = [
    ("ann", "BST", "t1", "overall", 4),
    ("ann", "BST", "t1", "knowledge", 2),
    ("ann", "ED", "t2", "overall", 5),
    ("bob", "BST", "t3", "overall", 4),
    ("bob", "BST", "t3", "knowledge", 3),
]
#: Two talks with two raters each.
SHARED: list[Row] = [
    ("ann", "BST", "t1", "overall", 1),
    ("bob", "BST", "t1", "overall", 1),
    ("cy", "BST", "t2", "overall", 2),
    ("dan", "BST", "t2", "overall", 2),
]


def slowly(rows: list[Row]) -> str:
    """The definition, an answer at a time."""
    models, axes = (sorted({row[place] for row in rows}) for place in (1, 3))
    answers: dict[tuple[str, str], dict[str, float]] = defaultdict(dict)
    model_of = {}
    for worker, model, talk, axis, score in rows:
        answers[worker, talk][axis] = float(score)
        model_of[talk] = float(models.index(model))
    by_worker, by_talk = defaultdict(list), defaultdict(list)
    for (worker, talk), given in answers.items():
        row = (model_of[talk], *(given.get(axis, float("inf")) for axis in axes))
        by_worker[worker].append(row)
        by_talk[talk].append(row)

    def packed(rows: list[tuple[float, ...]]) -> bytes:
        whole = [float("nan") if each == float("inf") else each for row in sorted(rows) for each in row]
        return hashlib.sha256(struct.pack(f"<{len(whole)}d", *whole)).digest()

    total = hashlib.sha256((json.dumps(["people", models, axes], ensure_ascii=False) + "\n").encode())
    total.update(b"".join(sorted(map(packed, by_worker.values()))))
    if shared := [rows for rows in by_talk.values() if len(rows) > 1]:
        total.update(b"talks\n" + b"".join(sorted(map(packed, shared))))
    return total.hexdigest()


@pytest.mark.parametrize("rows", [ROWS, SHARED, drawn_rows()], ids=["few", "shared", "many"])
def test_it_is_what_its_definition_says(rows: list[Row]) -> None:
    assert frame_of(rows).sha256 == slowly(rows)


@pytest.mark.parametrize("rows", [ROWS, SHARED, drawn_rows()], ids=["few", "shared", "many"])
def test_neither_names_nor_their_order_count(rows: list[Row]) -> None:
    called: dict[str, str] = {}
    draw = random.Random(3)
    renamed = [
        (called.setdefault(w, f"{draw.random()}"), m, called.setdefault(t, f"{draw.random()}"), a, s)
        for w, m, t, a, s in rows
    ]
    draw.shuffle(renamed)
    assert frame_of(renamed).sha256 == frame_of(rows).sha256


CHANGES: dict[str, Callable[[list[Row]], list[Row]]] = {
    "another score": lambda rows: [(*rows[0][:4], 3), *rows[1:]],
    "another axis": lambda rows: [(*rows[0][:3], "empathy", 4), *rows[1:]],
    "another model": lambda rows: [("ann", "WoW", *row[2:]) if row[2] == "t2" else row for row in rows],
    "models swapped": lambda rows: [(w, {"BST": "ED", "ED": "BST"}[m], t, a, s) for w, m, t, a, s in rows],
    "a rating less": lambda rows: rows[1:],
    "another's talk": lambda rows: [("bob", *row[1:]) if row[2] == "t2" else row for row in rows],
    "one person for two": lambda rows: [("ann", *row[1:]) for row in rows],
    "answers of one talk in two": lambda rows: [rows[0], ("ann", "BST", "t9", *rows[1][3:]), *rows[2:]],
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_what_people_said_counts(change: Callable[[list[Row]], list[Row]]) -> None:
    assert frame_of(change(list(ROWS))).sha256 != frame_of(ROWS).sha256


def test_which_answers_share_a_talk_counts() -> None:
    crossed = [(w, m, {"bob": "t2", "cy": "t1"}.get(w, t), a, s) for w, m, t, a, s in SHARED]
    apart = [(w, m, f"talk of {w}", a, s) for w, m, t, a, s in SHARED]
    assert len({frame_of(rows).sha256 for rows in (SHARED, crossed, apart)}) == 3
