"""Rules about attention items and gold talks, on work that is written out, and on a study that is judged."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from uuid import UUID

import pytest
from scipy.stats import binom

from chat.models import Conversation, Participation
from ratings import gold
from ratings.models import AttentionAnswer
from ratings.quality import judging, policy, reading
from ratings.quality.attention import SLIP_RATE, attention, gold_talks, slips_flagged
from ratings.quality.evidence import WorkerWork

from .conftest import LINES
from .works import talk, work


def answered(*pairs: tuple[int, int] | None) -> WorkerWork:
    """Talks whose items asked and got these numbers; None for a talk without one."""
    return work(
        *(talk(name=str(n), asked=pair and pair[0], given=pair and pair[1]) for n, pair in enumerate(pairs))
    )


def rated(expected: dict[str, tuple[int, int]], *scores: dict[str, int]) -> WorkerWork:
    return work(*(talk(name=str(n), scores=each, expected=expected) for n, each in enumerate(scores)))


# --- Attention items --------------------------------------------------------------------------------------


def test_missed_items_are_counted_among_those_asked_and_named() -> None:
    done = answered(None, (3, 4), (2, 2), (5, 1))
    flag = attention(done, 0.5)
    assert flag is not None
    assert flag.numbers == {"items": 3, "wrong": 2, "share": 2 / 3, "answers": "4 for 3, 1 for 5"}
    assert [(place.talk, place.axis) for place in flag.places] == [
        (done.talks[1].talk, "attention"),
        (done.talks[3].talk, "attention"),
    ]


def test_one_missed_item_is_human() -> None:
    assert attention(answered((3, 4)), 0.01) is None


def test_the_share_of_missed_items_may_just_be_reached() -> None:
    done = answered((1, 2), (1, 2), (1, 1), (1, 1))
    assert attention(done, 0.5) is not None
    assert attention(done, 0.51) is None


def test_who_was_never_asked_is_never_flagged() -> None:
    assert attention(answered(None, None), 0.0) is None
    assert attention(work(), 0.0) is None


@pytest.mark.parametrize("share", [0.0, 0.3, 0.5, 1.0])
def test_the_null_is_the_binomials_tail_at_the_threshold(share: float) -> None:
    for items in range(2, 11):
        fewest = next(k for k in range(2, items + 1) if k >= share * items)
        expected = binom.sf(fewest - 1, items, 0.02)
        assert slips_flagged(items, share) == pytest.approx(expected, rel=1e-9)


def test_the_null_of_a_flag_is_that_of_its_items() -> None:
    flag = attention(answered((1, 2), (1, 2), (1, 3), (4, 4)), 0.5)
    assert flag is not None
    assert flag.null_probability == pytest.approx(binom.sf(1, 4, SLIP_RATE), rel=1e-9)


def test_people_who_slip_are_flagged_as_often_as_it_says() -> None:
    rng, people, items = Random(5), 20_000, 4
    pairs = [[(1, 2 if rng.random() < 0.1 else 1) for _ in range(items)] for _ in range(people)]
    flagged = sum(attention(answered(*each), 0.5) is not None for each in pairs)
    # Four standard errors of a share of .052 in 20,000.
    assert flagged / people == pytest.approx(slips_flagged(items, 0.5, rate=0.1), abs=0.0063)


def test_at_most_three_of_a_thousand_who_slip_are_flagged_by_default() -> None:
    worst = max(slips_flagged(items, 0.5) for items in range(1, 200))
    assert 0.002 < worst < 0.003


# --- Gold talks -------------------------------------------------------------------------------------------

LOW = {"knowledge": (1, 2), "overall": (1, 3)}


def test_ratings_outside_what_is_expected_are_counted_and_named() -> None:
    done = rated(LOW, {"knowledge": 3, "empathy": 5, "overall": 3}, {"knowledge": 2, "overall": 4})
    flag = gold_talks(done, 0.5)
    assert flag is not None
    assert flag.numbers == {"ratings": 4, "wrong": 2, "share": 0.5, "gold_talks": 2}
    assert [(place.talk, place.axis) for place in flag.places] == [
        (done.talks[0].talk, "knowledge"),
        (done.talks[1].talk, "overall"),
    ]
    assert flag.null_probability is None


def test_both_ends_of_a_range_are_expected() -> None:
    done = rated(
        {"overall": (2, 4)}, {"overall": 2}, {"overall": 4}, {"overall": 3}, {"overall": 1}, {"overall": 5}
    )
    flag = gold_talks(done, 0.0)
    assert flag is not None and flag.numbers["wrong"] == 2


def test_one_rating_outside_is_a_taste() -> None:
    assert gold_talks(rated(LOW, {"knowledge": 5, "overall": 1}), 0.5) is None


def test_talks_without_expectations_are_no_gold_talks() -> None:
    assert gold_talks(rated({}, {"knowledge": 5, "overall": 5}), 0.0) is None


# --- Judged -----------------------------------------------------------------------------------------------


def standing(person: Participation, rule: str) -> list[list[str | int | None]] | None:
    """The places of the worker's standing finding under the rule."""
    found = person.findings.filter(rule=rule, cleared_at=None).first()
    return found.places if found else None


def answer(person: Participation, *pairs: tuple[int, int]) -> list[UUID]:
    talks = list(person.conversations.order_by("ordinal"))
    for each, (asked, given) in zip(talks, pairs, strict=False):
        AttentionAnswer.objects.create(conversation=each, asked=asked, given=given)
    return [each.pk for each in talks]


@pytest.mark.django_db
def test_a_judged_worker_has_the_finding_with_its_places(worked: Callable[..., Participation]) -> None:
    person, careful = worked([LINES] * 3), worked([LINES] * 3)
    talks = answer(person, (1, 2), (3, 3), (4, 5))
    answer(careful, (1, 2), (3, 3), (4, 4))
    judging.judge_study(person.study, simulated=False)
    assert standing(person, "attention") == [
        [str(talks[0]), None, "attention"],
        [str(talks[2]), None, "attention"],
    ]
    assert standing(careful, "attention") is None


@pytest.mark.django_db
def test_only_ratings_of_the_gold_arm_count_and_only_while_stated(
    worked: Callable[..., Participation],
) -> None:
    person = worked([LINES] * 4, scores=[(5, 4, 2, 4)])
    arm = person.study.arms.get(position=1)
    gold.state_gold(arm, {"knowledge": (1, 2), "personal": (1, 2)})
    judging.judge_study(person.study, simulated=False)
    theirs = Conversation.objects.filter(arm=arm).order_by("ordinal").values_list("pk", flat=True)
    assert standing(person, "gold_talks") == [[str(talk), None, "knowledge"] for talk in theirs]
    assert len(theirs) == 2
    gold.state_gold(arm, {})
    judging.judge_study(person.study, simulated=False)
    assert standing(person, "gold_talks") is None


@pytest.mark.django_db
@pytest.mark.parametrize("rule", ["attention", "gold_talks"])
def test_neither_rule_can_be_made_to_exclude(rule: str, worked: Callable[..., Participation]) -> None:
    with pytest.raises(policy.PolicyRefused, match="review or off"):
        policy.declare(worked().study, {rule: {"act": "exclude"}}, actor="me")


@pytest.mark.django_db
def test_reading_takes_six_queries_however_many_there_are(
    worked: Callable[..., Participation], django_assert_num_queries: Callable[..., object]
) -> None:
    people = [worked([LINES] * 2).pk for _ in range(3)]
    with django_assert_num_queries(6):
        assert len(reading.read(people)) == 3
