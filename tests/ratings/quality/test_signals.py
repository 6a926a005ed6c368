"""Copies, untyped and generated text, and models that name themselves."""

from __future__ import annotations

from dataclasses import replace
from uuid import uuid4

import pytest

from ratings.quality.copying import COMMONPLACE, Sketches, Source, copied_text
from ratings.quality.disclosure import Disclosure
from ratings.quality.typed import generated_text, is_untyped, pasted_text

from .works import one, talk, typed, work

TEXT = "My grandfather kept bees behind the old school and sold honey at the market every spring"
NEAR = "My grandfather kept bees behind the old school, and sold honey at the market each autumn!"


def copies(*texts: tuple[int, str]) -> list[tuple[int, int]]:
    """Which workers' messages are copies of whose; every message is a talk of its own."""
    sketches = Sketches()
    for worker, text in texts:
        sketches.add(Source(worker, uuid4(), 1), text)
    return [(copy.worker, first.worker) for copy, first in sketches.copies()]


def test_nearly_the_same_text_of_another_worker_is_found() -> None:
    assert copies(
        (0, TEXT), (1, "Something else entirely that has nothing to do with any of it"), (2, NEAR)
    ) == [(2, 0)]


def test_short_and_unlike_texts_are_not() -> None:
    assert copies((0, "How are you doing today?"), (1, "How are you doing today?")) == []
    assert (
        copies(
            (0, TEXT),
            (1, "My grandfather kept bees behind the old school but I never liked them at all, sadly"),
        )
        == []
    )


def test_what_very_many_say_is_a_commonplace() -> None:
    assert copies(*((worker, TEXT) for worker in range(COMMONPLACE + 1))) == []
    assert len(copies(*((worker, TEXT) for worker in range(COMMONPLACE)))) == COMMONPLACE - 1


def test_a_repeat_within_one_talk_is_another_rules_matter() -> None:
    sketches, of = Sketches(), uuid4()
    for position in (1, 3):
        sketches.add(Source(0, of, position), TEXT)
    assert list(sketches.copies()) == []


def test_both_sides_are_flagged_with_whom_they_are_like() -> None:
    talks = [uuid4() for _ in range(4)]
    pairs = [
        (Source(1, talks[0], 1), Source(0, talks[1], 3)),
        (Source(1, talks[2], 5), Source(1, talks[3], 7)),
    ]
    workers = [(uuid4(), 9), (uuid4(), 12)]
    found = copied_text(workers, pairs, fewest=1)
    assert found[workers[0][0]].numbers == {"messages": 9, "found": 1, "like_others": 1, "like_own": 0}
    assert found[workers[1][0]].numbers == {"messages": 12, "found": 2, "like_others": 1, "like_own": 1}
    assert list(copied_text(workers, pairs, fewest=2)) == [workers[1][0]]


@pytest.mark.parametrize(
    ("said", "untyped"),
    [
        (typed(TEXT, keystrokes=95, ms=20_000), False),
        (typed(TEXT, keystrokes=3, ms=400, pastes=1, pasted=88), True),
        (typed(TEXT, keystrokes=60, ms=9_000, pastes=1, pasted=20), False),
        (typed(TEXT, keystrokes=5, ms=900), True),
        (typed("So do I.", keystrokes=1, ms=10, pastes=1, pasted=8), False),
    ],
)
def test_most_of_a_long_message_must_be_pasted_or_come_too_fast(said, untyped: bool) -> None:
    assert is_untyped(said) is untyped


def test_only_watched_messages_count() -> None:
    pasted = typed(TEXT, keystrokes=3, ms=400, pastes=1, pasted=88)
    base = talk(TEXT, TEXT, TEXT)
    watched = replace(base, said=(pasted, replace(pasted, position=3), base.said[2]))
    flag = pasted_text(work(watched), 0.5)
    assert flag is not None
    assert flag.numbers == {"found": 2, "watched": 2, "share": 1.0}
    assert pasted_text(work(base), 0.01) is None


@pytest.mark.parametrize(
    "text",
    [
        "As an AI, I have no pets.",
        "It's important to note that bees matter.",
        "Bees \u2014 lovely creatures.",
        "1. Keep bees\n2. Sell honey",
    ],
)
def test_what_assistants_write_is_a_reason_to_look(text: str) -> None:
    assert generated_text(one(text, text), 2) is not None
    assert generated_text(one(text), 2) is None


def test_what_people_write_is_none() -> None:
    assert (
        generated_text(one(TEXT, "I'd say 3-4 hours", "It's important to me", "What an airplane!"), 1) is None
    )


NAMES = ["MT Two-Stage", "mt-two-stage", "ConvAI2", "ED", "BST"]


@pytest.mark.parametrize(
    "reply",
    [
        "I am an AI language model.",
        "I'm just a bot, sorry",
        "They call me ConvAI2!",
        "I am the mt two stage model",
        "I was trained by clever people",
    ],
)
def test_a_model_that_names_itself_is_found(reply: str) -> None:
    assert Disclosure(NAMES).in_text(reply)


@pytest.mark.parametrize(
    "reply",
    [
        "My friend Ed is a robot builder",
        "I am a fashion model",
        "I am botanist",
        "bst wishes",
        "Is an AI smart?",
    ],
)
def test_one_that_talks_of_such_things_is_not(reply: str) -> None:
    assert not Disclosure(NAMES).in_text(reply)


def test_the_talk_is_flagged_with_the_replies() -> None:
    spoken = talk("Hi", heard=["Hello!", "I am a chatbot."])
    flag = Disclosure.flag(spoken, [4])
    assert flag is not None and flag.talk == spoken.talk
    assert flag.numbers == {"replies": 2, "found": 1}
