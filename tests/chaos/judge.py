"""Compares what people's browsers saw with what the database holds, message for message. Pure."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from tests.chaos.client_log import Event, Kind

#: Nobody may wait longer for anything.
LONGEST_WAIT_S = 90.0
#: What a browser calls whoever the database calls so.
SPEAKERS = {"worker": "you", "model": "partner"}
Place = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Message:
    speaker: str  # worker or model
    text: str
    client_id: str | None


@dataclass(frozen=True, slots=True)
class Turn:
    state: str
    attempt: int
    asked_again: int


@dataclass(frozen=True, slots=True)
class Stored:
    """The database at the end. Talks are named by the hex digits of their ids; a place is a talk and a position."""

    talks: Mapping[str, str]  # their states
    participations: Mapping[str, str]  # of each talk
    messages: Mapping[Place, Message]
    turns: Mapping[Place, Turn]
    ratings: Mapping[str, Mapping[str, int]]
    codes: Mapping[str, str] = field(default_factory=dict)  # of each participation that has one


def findings(events: Sequence[Event], stored: Stored) -> list[str]:
    """Everything that is not as promised, each in a sentence."""
    checks = (
        accepted_and_not_stored,
        stored_and_not_said,
        heard_and_not_stored,
        stored_and_not_heard,
        said_twice,
        ratings_that_differ,
        talks_that_ended_otherwise,
        turns_that_are_open,
        codes_that_differ,
        waits_too_long,
        people_stuck,
    )
    return [finding for check in checks for finding in check(events, stored)]


def of_kind(events: Sequence[Event], *kinds: Kind) -> Iterator[Event]:
    return (event for event in events if event.kind in kinds)


def accepted_and_not_stored(events: Sequence[Event], stored: Stored) -> Iterator[str]:
    for event in of_kind(events, Kind.ACCEPTED):
        there = stored.messages.get((event.talk, event.position))
        if there != Message("worker", event.text, event.client_id):
            yield f"talk {event.talk}: accepted at {event.position} and stored is {there}"


def stored_and_not_said(events: Sequence[Event], stored: Stored) -> Iterator[str]:
    """Each stored message of a person was sent by them, in this talk, and stands once."""
    said = {(event.talk, event.client_id): event.text for event in of_kind(events, Kind.SAID)}
    times = Counter(message.client_id for message in stored.messages.values() if message.speaker == "worker")
    for (talk, position), message in stored.messages.items():
        if message.speaker != "worker":
            continue
        if said.get((talk, str(message.client_id))) != message.text:
            yield f"talk {talk}: nobody said what is stored at {position}"
        if times[message.client_id] > 1:
            yield f"talk {talk}: the message at {position} is stored {times[message.client_id]} times"


def heard_and_not_stored(events: Sequence[Event], stored: Stored) -> Iterator[str]:
    for event in of_kind(events, Kind.HEARD):
        there = stored.messages.get((event.talk, event.position))
        if there is None or (SPEAKERS[there.speaker], there.text) != (event.speaker, event.text):
            yield f"talk {event.talk}: heard at {event.position} was not what is stored, {there}"


def stored_and_not_heard(events: Sequence[Event], stored: Stored) -> Iterator[str]:
    """Every reply reached its person, but for those who had left before it came, or who got stuck."""
    heard = {(event.talk, event.position) for event in of_kind(events, Kind.HEARD)}
    gone = {event.talk for event in of_kind(events, Kind.LEFT, Kind.STUCK)}
    for (talk, position), message in stored.messages.items():
        if message.speaker == "model" and (talk, position) not in heard and talk not in gone:
            yield f"talk {talk}: the reply at {position} was never heard"


def said_twice(events: Sequence[Event], stored: Stored) -> Iterator[str]:
    """The models of a run say nothing twice in a talk, and speakers take turns."""
    replies: dict[str, Counter[str]] = defaultdict(Counter)
    for (talk, position), message in stored.messages.items():
        if (message.speaker == "worker") != (position % 2 == 1):
            yield f"talk {talk}: {message.speaker} speaks at {position}"
        if message.speaker == "model":
            replies[talk][message.text] += 1
    for talk, texts in replies.items():
        yield from (f"talk {talk}: one reply is stored {n} times" for n in texts.values() if n > 1)


def ratings_that_differ(events: Sequence[Event], stored: Stored) -> Iterator[str]:
    """Answers that were taken are stored; what is stored was answered."""
    given = {event.talk: dict(event.scores) for event in of_kind(events, Kind.RATING)}
    for event in of_kind(events, Kind.RATED):
        if stored.ratings.get(event.talk) != dict(event.scores):
            yield f"talk {event.talk}: rated {dict(event.scores)}, stored {stored.ratings.get(event.talk)}"
    for talk, scores in stored.ratings.items():
        if given.get(talk) != scores:
            yield f"talk {talk}: stored {scores}, answered {given.get(talk)}"


#: What must have become of a talk, by the last thing that its person saw of it.
ENDINGS = {Kind.RATED: {"complete"}, Kind.LEFT: {"withdrawn"}, Kind.ENDED: {"failed", "abandoned"}}


def talks_that_ended_otherwise(events: Sequence[Event], stored: Stored) -> Iterator[str]:
    ends = {event.talk: event.kind for event in of_kind(events, *ENDINGS)}
    stuck = {event.talk for event in of_kind(events, Kind.STUCK)}
    for talk, state in stored.talks.items():
        if talk in stuck:
            continue
        if talk not in ends:
            yield f"talk {talk}: its person never saw its end, stored is {state}"
        elif state not in ENDINGS[ends[talk]]:
            yield f"talk {talk}: its person saw it {ends[talk]}, stored is {state}"
    yield from (f"talk {talk}: seen and not stored" for talk in ends if talk not in stored.talks)


def turns_that_are_open(events: Sequence[Event], stored: Stored) -> Iterator[str]:
    """Each message has its turn, each answered turn its reply, and at the end none is open."""
    for (talk, position), message in stored.messages.items():
        if message.speaker == "worker" and (talk, position + 1) not in stored.turns:
            yield f"talk {talk}: no reply was ever owed to the message at {position}"
    for (talk, position), turn in stored.turns.items():
        if (turn.state == "answered") != ((talk, position) in stored.messages):
            yield f"talk {talk}: the turn at {position} is {turn.state}, its reply is stored or missing"
        if turn.state not in ("answered", "failed"):
            yield f"talk {talk}: the turn at {position} is still {turn.state}"


def codes_that_differ(events: Sequence[Event], stored: Stored) -> Iterator[str]:
    """Everybody saw the code that is theirs, and those who have a talk to be paid for have one."""
    talks = {event.person: event.talk for event in of_kind(events, Kind.STARTED)}
    for event in of_kind(events, Kind.CODE):
        due = stored.codes.get(stored.participations.get(talks.get(event.person, ""), ""), "")
        if event.text != due:
            yield f"person {event.person}: another code was shown than is due, or none"


def waits_too_long(events: Sequence[Event], stored: Stored) -> Iterator[str]:
    for event in of_kind(events, Kind.WAITED):
        if event.seconds > LONGEST_WAIT_S:
            yield f"person {event.person}: waited {event.seconds:.0f} s ({event.text}, talk {event.talk})"


def people_stuck(events: Sequence[Event], stored: Stored) -> Iterator[str]:
    for event in of_kind(events, Kind.STUCK):
        yield f"person {event.person}: stuck in talk {event.talk}: {event.text}"
