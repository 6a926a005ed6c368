"""Each of the judge's checks is seen to find the fault that it is for, planted into a run where all is well."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.chaos.client_log import Event, Kind
from tests.chaos.judge import LONGEST_WAIT_S, Message, Stored, Turn, findings

SCORES = (("empathy", 4), ("knowledge", 2))


def events() -> list[Event]:
    """One person's talk: a message, its reply, the ratings, the code."""
    return [
        Event(1, Kind.STARTED, "a"),
        Event(1, Kind.SAID, "a", client_id="c1", text="Hello"),
        Event(1, Kind.ACCEPTED, "a", 1, client_id="c1", text="Hello"),
        Event(1, Kind.HEARD, "a", 1, "you", "Hello"),
        Event(1, Kind.HEARD, "a", 2, "partner", "Good day"),
        Event(1, Kind.WAITED, "a", text="reply", seconds=2),
        Event(1, Kind.RATING, "a", scores=SCORES),
        Event(1, Kind.RATED, "a", scores=SCORES),
        Event(1, Kind.CODE, "a", text="CODE"),
    ]


def stored() -> Stored:
    return Stored(
        talks={"a": "complete"},
        participations={"a": "p"},
        messages={("a", 1): Message("worker", "Hello", "c1"), ("a", 2): Message("model", "Good day", None)},
        turns={("a", 2): Turn("answered", 1, 0)},
        ratings={"a": dict(SCORES)},
        codes={"p": "CODE"},
    )


def without(kind: Kind) -> list[Event]:
    return [event for event in events() if event.kind is not kind]


def test_where_all_is_well_nothing_is_found() -> None:
    assert findings(events(), stored()) == []


def with_messages(**changed: Message) -> Stored:
    """``m3=Message(...)`` stands at position 3."""
    there = dict(stored().messages) | {("a", int(name[1:])): message for name, message in changed.items()}
    return replace(stored(), messages=there)


STORED_FAULTS: dict[str, Callable[[], Stored]] = {
    "accepted at 1": lambda: with_messages(m1=Message("worker", "Hallo", "c1")),
    "nobody said what is stored at 3": lambda: with_messages(m3=Message("worker", "Who?", "c9")),
    "the message at 3 is stored 2 times": lambda: with_messages(m3=Message("worker", "Hello", "c1")),
    "heard at 2 was not what is stored": lambda: with_messages(m2=Message("model", "Good night", None)),
    "the reply at 4 was never heard": lambda: with_messages(m4=Message("model", "Are you there?", None)),
    "one reply is stored 2 times": lambda: with_messages(m4=Message("model", "Good day", None)),
    "model speaks at 3": lambda: with_messages(m3=Message("model", "Me again", None)),
    "no reply was ever owed to the message at 3": lambda: with_messages(m3=Message("worker", "Hm", "c2")),
    "rated {'empathy': 4, 'knowledge': 2}, stored None": lambda: replace(stored(), ratings={}),
    "stored {'empathy': 1}, answered None": lambda: replace(stored(), ratings={"b": {"empathy": 1}}),
    "its person saw it rated, stored is failed": lambda: replace(stored(), talks={"a": "failed"}),
    "its person never saw its end": lambda: replace(stored(), talks={"a": "complete", "b": "chatting"}),
    "seen and not stored": lambda: replace(stored(), talks={}),
    "the turn at 2 is running, its reply is stored or missing": lambda: replace(
        stored(), turns={("a", 2): Turn("running", 1, 0)}
    ),
    "the turn at 4 is still asked": lambda: replace(
        stored(), turns={**stored().turns, ("a", 4): Turn("asked", 0, 0)}
    ),
    "another code was shown than is due": lambda: replace(stored(), codes={"p": "OTHER"}),
}


@pytest.mark.parametrize("sentence", STORED_FAULTS)
def test_a_fault_in_the_database_is_found(sentence: str) -> None:
    assert any(sentence in finding for finding in findings(events(), STORED_FAULTS[sentence]()))


EVENT_FAULTS: dict[str, Callable[[], list[Event]]] = {
    "nobody said what is stored at 1": lambda: without(Kind.SAID),
    "the reply at 2 was never heard": lambda: without(Kind.HEARD),
    "heard at 2 was not what is stored": lambda: [
        *events(),
        Event(1, Kind.HEARD, "a", 2, "partner", "Good evening"),
    ],
    "heard at 3 was not what is stored, None": lambda: [
        *events(),
        Event(1, Kind.HEARD, "a", 3, "you", "Lost"),
    ],
    "accepted at 3 and stored is None": lambda: [
        *events(),
        Event(1, Kind.ACCEPTED, "a", 3, client_id="c2", text="Lost"),
    ],
    "waited 91 s": lambda: [
        *events(),
        Event(1, Kind.WAITED, "a", text="reply", seconds=LONGEST_WAIT_S + 1),
    ],
    "stuck in talk a: SiteDown": lambda: [*events(), Event(1, Kind.STUCK, "a", text="SiteDown")],
}


@pytest.mark.parametrize("sentence", EVENT_FAULTS)
def test_a_fault_that_people_saw_is_found(sentence: str) -> None:
    assert any(sentence in finding for finding in findings(EVENT_FAULTS[sentence](), stored()))


def test_who_has_left_need_not_have_heard_the_last_reply() -> None:
    left = [event for event in without(Kind.HEARD) if event.kind not in (Kind.RATING, Kind.RATED, Kind.CODE)]
    left += [Event(1, Kind.LEFT, "a"), Event(1, Kind.CODE, "a")]
    assert findings(left, replace(stored(), talks={"a": "withdrawn"}, ratings={}, codes={})) == []
