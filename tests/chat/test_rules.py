"""The rules about one message. The page's own check is held to the same file by a browser test."""

import json
from pathlib import Path

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


def test_normalising_keeps_letters_and_digits_alone():
    assert normalise("  Don't—STOP, at 7:30! ") == "dont stop at 7 30"
