"""Which strikes a run makes."""

from __future__ import annotations

from collections import Counter

from tests.chaos.killer import NETWORK, WAYS, WEIGHTS, How, plan

TARGETS = [name for name in WEIGHTS if name != "queue"]


def test_the_same_seed_plans_the_same_strikes() -> None:
    assert plan(50, 7, TARGETS) == plan(50, 7, TARGETS) != plan(50, 8, TARGETS)


def test_every_target_is_struck_by_its_weight() -> None:
    counts = Counter(strike.target for strike in plan(200, 1, TARGETS))
    assert counts.total() == 200
    assert set(counts) == set(TARGETS)
    assert counts["web-1"] == counts["web-2"] > counts["postgresql"] > counts[NETWORK]


def test_every_way_occurs_among_two_hundred_strikes() -> None:
    planned = {(strike.target.partition("-")[0], strike.how) for strike in plan(200, 1, TARGETS)}
    assert planned >= {(kind, how) for kind in ("web", "worker", "postgresql") for how, *_ in WAYS[kind]}


def test_some_workers_are_frozen_for_longer_than_a_lease() -> None:
    frozen = [strike.away_s for strike in plan(200, 1, TARGETS) if strike.how is How.FREEZE]
    assert max(frozen) > 25
