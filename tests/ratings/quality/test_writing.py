"""Rules about writing, with the holes of older tools closed."""

from __future__ import annotations

import pytest

from ratings.quality import writing
from ratings.quality.writing import is_greeting, is_shouted

from .works import one, talk, work

LONG = ["I had a quiet day at home.", "We went to the sea.", "My dog likes it too.", "What about you, then?"]


@pytest.mark.parametrize(
    "text", ["Hi", "Hi,", "hey!!", "HELLO there", "Good morning!", "What's up", "hiya :)", "“Hi”"]
)
def test_a_greeting_is_one_whatever_stands_behind_it(text: str) -> None:
    assert is_greeting(text)


@pytest.mark.parametrize(
    "text", ["", "!?", "High time to go", "Hilarious", "I said hello to her", "Good point", "What is it"]
)
def test_what_only_looks_like_a_greeting_is_none(text: str) -> None:
    assert not is_greeting(text)


@pytest.mark.parametrize(
    "text", ["WHY WOULD YOU SAY THAT", "I AM HERE!!", "ÜBER ALLES GUT", "NO 100 TIMES NO"]
)
def test_capitals_are_shouting(text: str) -> None:
    assert is_shouted(text)


@pytest.mark.parametrize(
    "text", ["1999", "12 345", "...", "?!", "OK", "NASA", "I", "TV 1", "I LOVE it", "", "東京 大阪"]
)
def test_numbers_punctuation_and_abbreviations_are_no_shouting(text: str) -> None:
    assert not is_shouted(text)


def test_any_repeat_counts_not_only_of_the_first_message() -> None:
    flag = writing.repeating(
        one(LONG[0], LONG[1], LONG[1].upper() + "!!", LONG[2], "we went, to the sea"), 0.2
    )
    assert flag is not None
    assert flag.numbers["found"] == 2
    assert [place.position for place in flag.places] == [5, 9]


def test_short_thanks_and_repeats_in_another_talk_are_no_repeats() -> None:
    said = [*LONG, "Thank you!", "thank you"]
    assert writing.repeating(work(talk(*said, name="a"), talk(*said, name="b")), 0.01) is None


def test_one_repeat_is_not_enough() -> None:
    assert writing.repeating(one(LONG[0], LONG[0], *LONG[1:]), 0.01) is None


def test_short_messages_are_counted_one_by_one() -> None:
    # Their mean is over three words: a mean would let this worker through.
    flag = writing.short_writing(one("ok", "yes", "no way", " ".join(["word"] * 28)), 0.5)
    assert flag is not None
    assert flag.numbers == {"messages": 4, "found": 3, "share": 0.75, "mean_words": 8.0}


def test_three_words_are_enough_and_three_messages_too_few_to_tell() -> None:
    assert writing.short_writing(one("I like it", "so do I", "me as well", "we all do"), 0.01) is None
    assert writing.short_writing(one("ok", "yes", "no"), 0.01) is None


def test_the_threshold_is_a_share_that_may_just_be_reached() -> None:
    said = ["ok", "yes", *LONG[:2]]
    assert writing.short_writing(one(*said), 0.5) is not None
    assert writing.short_writing(one(*said), 0.51) is None


def test_shouting_needs_two_messages() -> None:
    assert writing.shouting(one("I AM SO ANGRY", *LONG), 0.01) is None
    flag = writing.shouting(one("I AM SO ANGRY", *LONG, "REALLY ANGRY NOW"), 0.2)
    assert flag is not None
    assert [place.position for place in flag.places] == [1, 11]


def test_a_greeting_counts_only_where_something_was_said_before() -> None:
    seeded, bare = talk("Hi, how are you?", *LONG, name="a"), talk("Hello", *LONG, name="b", opened=False)
    assert writing.greeting_openings(work(bare), 0.5) is None
    flag = writing.greeting_openings(work(seeded, bare), 0.5)
    assert flag is not None
    assert flag.numbers == {"talks": 1, "greeted": 1, "share": 1.0}


def test_nothing_is_said_of_nothing() -> None:
    empty = work()
    for rule in (writing.short_writing, writing.shouting, writing.repeating, writing.greeting_openings):
        assert rule(empty, 0.1) is None


def test_verbatim_acceptance_is_a_share_of_what_was_sent() -> None:
    offered = [["I like tea.", "So do I."]] * 4
    assert (
        writing.verbatim_accepting(offered, ["i like tea", "So do I!", "So do I.", "No tea."], 0.75) == 0.75
    )
    assert writing.verbatim_accepting(offered, ["i like tea", "hm", "So do I.", "No tea."], 0.75) is None
    assert writing.verbatim_accepting(offered[:3], ["So do I."] * 3, 0.5) is None


def test_copies_of_the_persona_are_told_by_talks_in_which_one_was_refused() -> None:
    tried = [talk(*LONG, name=name, refused={"persona_copy": 2}) for name in "ab"]
    honest = [talk(*LONG, name=name, refused={"too_long": 3}) for name in "cd"]
    flag = writing.persona_copies(work(*tried, *honest), 0.5)
    assert flag is not None
    assert flag.numbers == {"talks": 4, "found": 2, "copies": 4, "share": 0.5}
    assert writing.persona_copies(work(tried[0], *honest), 0.1) is None
