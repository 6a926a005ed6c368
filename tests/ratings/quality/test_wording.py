"""Numbers in words."""

from __future__ import annotations

import pytest

from ratings.quality import wording
from ratings.quality.catalogue import BY_NAME


@pytest.mark.parametrize(
    ("probability", "said"),
    [
        (0.57, "57 of 100"),
        (0.1, "10 of 100"),
        (0.0949, "1 of 11"),
        (0.0123, "1 of 81"),
        (0.0004, "1 of 2,500"),
        (1 / 3456, "1 of 3,500"),
        (1.2e-6, "1 of 830,000"),
        (1e-9, "fewer than 1 of 1,000,000"),
        (0, "fewer than 1 of 1,000,000"),
        (1, "100 of 100"),
    ],
)
def test_a_probability_is_told_as_how_many_honest_workers(probability: float, said: str) -> None:
    assert wording.odds(probability) == said


@pytest.mark.parametrize(
    ("rule", "value", "said"),
    [
        ("shouting", 0.2, "20 % of messages"),
        ("talk_time", 1 / 3, "33.3 % of the study's median"),
        ("same_answer_everywhere", 3, "3 talks"),
        ("shared_account", 1, "1 worker"),
        ("unsafe_messages", 0.9, "probability 0.9"),
    ],
)
def test_a_threshold_has_its_unit(rule: str, value: float, said: str) -> None:
    assert wording.threshold(BY_NAME[rule], value) == said


def test_numbers_have_names_units_and_an_order_whatever_the_database_made_of_it() -> None:
    found = {
        "share": 1 / 3,
        "median_s": 12.4,
        "p_misfit": 1e-9,
        "talks": 3,
        "unheard_of": 1.5,
        "message_s": 4.25,
    }
    assert list(wording.numbers(found)) == [
        ("Talks", "3"),
        ("Share", "33.3 %"),
        ("Their median", "12 s"),
        ("Probability of such a misfit", "below 0.0001"),
        ("Message s", "4.2 s"),
        ("Unheard of", "1.5"),
    ]


def test_a_rule_that_is_gone_keeps_its_name() -> None:
    assert (wording.label_of("shouting"), wording.label_of("gone")) == ("All capitals", "gone")
