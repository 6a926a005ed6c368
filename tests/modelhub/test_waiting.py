"""What waits for a model: bounds, batches, and dialogues of like length together."""

from __future__ import annotations

import threading
import time

from modelhub.serving.waiting import Waiting


def waiting(size: int = 3, wait_s: float = 0.0, bound: int = 100) -> Waiting[str]:
    return Waiting(size=size, wait_s=wait_s, bound=bound, length_of=len)


def test_what_waits_longest_is_taken_with_those_like_it() -> None:
    queue = waiting(size=3)
    for text in ("aaaa", "b" * 90, "cccc", "d" * 91, "eeee"):
        queue.put(text)
    assert queue.take() == ["aaaa", "cccc", "eeee"]
    assert queue.take() == ["b" * 90, "d" * 91]


def test_nobody_is_passed_over_twice() -> None:
    queue = waiting(size=2)
    for text in ("a", "l" * 90, "b", "c", "d"):
        queue.put(text)
    assert queue.take() == ["a", "b"]
    for text in ("e", "f"):
        queue.put(text)
    assert queue.take() == ["l" * 90, "c"]


def test_those_who_were_passed_over_go_before_better_fits() -> None:
    queue = waiting(size=2)
    for text in ("a", "x" * 50, "y" * 80, "b"):
        queue.put(text)
    assert queue.take() == ["a", "b"]
    queue.put("z" * 50)
    assert queue.take() == ["x" * 50, "y" * 80]


def test_a_full_queue_takes_nobody() -> None:
    queue = waiting(bound=2)
    assert [queue.put("a"), queue.put("b"), queue.put("c")] == [True, True, False]
    queue.take()
    assert queue.put("c")


def test_a_batch_waits_for_others_from_its_first_on() -> None:
    queue = waiting(size=3, wait_s=0.3)
    threading.Timer(0.1, queue.put, ["b"]).start()
    begun = time.monotonic()
    queue.put("a")
    assert queue.take() == ["a", "b"]
    assert time.monotonic() - begun >= 0.3


def test_a_full_batch_waits_for_nobody() -> None:
    queue = waiting(size=2, wait_s=60)
    queue.put("a")
    queue.put("b")
    assert queue.take() == ["a", "b"]


def test_a_closed_queue_hands_out_what_is_there_and_then_nothing() -> None:
    queue = waiting(wait_s=60)
    queue.put("a")
    queue.close()
    assert queue.take() == ["a"]
    assert queue.take() is None


def test_closing_wakes_who_waits() -> None:
    queue = waiting(wait_s=60)
    threading.Timer(0.1, queue.close).start()
    assert queue.take() is None
