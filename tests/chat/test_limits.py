"""How fast one socket may send; the clock is moved, nothing waits."""

from chat.limits import Bucket, Buckets


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_burst_passes_and_then_the_rate_holds():
    clock = Clock()
    bucket = Bucket(burst=20, rate=5, clock=clock)
    assert [bucket.take() for _ in range(21)] == [True] * 20 + [False]
    clock.now += 1
    assert [bucket.take() for _ in range(6)] == [True] * 5 + [False]


def test_a_pause_fills_no_more_than_the_burst():
    clock = Clock()
    bucket = Bucket(burst=3, rate=5, clock=clock)
    clock.now += 3600
    assert [bucket.take() for _ in range(4)] == [True, True, True, False]


def test_who_goes_on_and_on_is_flooding():
    clock = Clock()
    bucket = Bucket(burst=2, rate=1, patience=3, clock=clock)
    for _ in range(5):
        bucket.take()
    assert not bucket.is_flooded
    bucket.take()
    assert bucket.is_flooded


def test_a_full_pause_forgives():
    clock = Clock()
    bucket = Bucket(burst=2, rate=1, patience=1, clock=clock)
    for _ in range(5):
        bucket.take()
    clock.now += 10
    assert bucket.take()
    assert not bucket.is_flooded


def test_a_talk_has_one_bucket_and_the_oldest_is_forgotten_first():
    buckets = Buckets(most=2)
    first, second = buckets.of("a"), buckets.of("b")
    assert buckets.of("a") is first
    buckets.of("c")
    assert buckets.of("a") is first
    assert buckets.of("b") is not second
