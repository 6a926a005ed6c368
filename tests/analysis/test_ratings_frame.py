"""A frame of columns: the order of rows is no matter, the ratings are."""

from __future__ import annotations

import random

from tests.analysis.rating_files import drawn_rows, frame_of, framed

ROWS = [
    ("w2", "Zebra", "c9", "overall", 4),
    ("w2", "Zebra", "c9", "knowledge", 2),
    ("w1", "ape", "c1", "overall", 5),
    ("w1", "ape", "c1", "wit", 1),
]


def test_names_are_sorted_and_the_papers_axes_come_first() -> None:
    frame = frame_of(ROWS)
    assert frame.people == ("w1", "w2")
    assert frame.models == ("ape", "Zebra")
    assert frame.axes == ("knowledge", "overall", "wit")


def test_ratings_stand_where_their_names_say() -> None:
    frame, order = framed(ROWS)
    assert order == [2, 3, 1, 0]
    assert frame.score.tolist() == [5, 1, 2, 4]
    assert frame.table().total[1, 1].tolist() == [2, 4, 0]
    assert frame.talks_by_model().tolist() == [1, 1]


def test_rows_in_another_order_make_the_same_frame() -> None:
    rows = drawn_rows()
    first = frame_of(rows)
    random.Random(5).shuffle(rows)
    second = frame_of(rows)
    assert (second.sha256, second.people) == (first.sha256, first.people)
    assert (second.score == first.score).all() and (second.worker == first.worker).all()


def test_without_some_workers_the_others_keep_their_numbers() -> None:
    frame = frame_of(ROWS)
    left = frame.without({"w1"})
    assert left.score.tolist() == [2, 4] and set(left.worker) == {1}
    assert left.people == frame.people and left.models == frame.models
    assert len({frame.sha256, left.sha256, frame.without({"w2"}).sha256}) == 3
