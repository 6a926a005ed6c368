"""The rules about one message. The page's own check is held to the same file by a browser test."""

import json
from pathlib import Path
from random import Random

import pytest

from chat.rules import check_message, count_words, normalise

GIVEN = json.loads(Path(__file__).with_name("rule_cases.json").read_text())


@pytest.mark.parametrize("case", GIVEN["cases"], ids=lambda case: case["name"])
def test_each_message_is_taken_or_refused_with_its_code(case):
    text = case["text"] * case.get("text_times", 1)
    refusal = check_message(text, max_words=GIVEN["max_words"], personas=GIVEN["personas"])
    assert (refusal and refusal.code) == case["code"]
    assert count_words(text) == case["words"]


def test_a_refusal_says_what_came_and_what_is_allowed():
    refusal = check_message("one two three four", max_words=3, personas=[])
    assert refusal.reason == "4 words; please use at most 3."


def test_text_in_ascii_is_normalised_as_any_other():
    rng = Random(1)
    for _ in range(2000):
        text = "".join(chr(rng.randrange(128)) for _ in range(rng.randrange(20)))
        beyond = normalise(f"{text} \u0444")  # its last letter takes the other way
        assert normalise(text) == beyond.removesuffix("\u0444").strip(), repr(text)


def test_normalising_keeps_letters_and_digits_alone():
    assert normalise("  Don't—STOP, at 7:30! ") == "dont stop at 7 30"
