"""Rules about how a worker writes (Smith et al. 2020, sections 3.1 and 4.1). Pure.

Words are parted by white space, as in ``chat.rules``; "the same text" means the same after ``chat.rules.normalise``:
compatibility forms, case, apostrophes, punctuation and spaces taken away. Articles count.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from chat.rules import count_words, normalise
from ratings.quality.evidence import Flag, Place, Said, TalkWork, WorkerWork

#: Below this nothing is said about how somebody writes: one odd message of two is half of all.
FEWEST_MESSAGES = 4
SHORTEST_WORDS = 3
#: Letters that a message must have before its case says anything: "OK", "TV?" and "I" are no shouting.
SHOUTED_LETTERS = 4
GREETINGS = frozenset(
    "hi hii hiii hiiii hiya hai hello helo hellooo hey heya heyy heyyy howdy greetings hallo yo sup".split()
)
#: "Good morning", "what is up": two words that greet together.
GREETING_PAIRS = frozenset(
    {("good", "morning"), ("good", "afternoon"), ("good", "evening"), ("good", "day"), ("whats", "up")}
)


def short_writing(work: WorkerWork, share: float) -> Flag | None:
    """Messages of fewer than three words are at least ``share`` of all that the worker wrote."""
    counted = [(count_words(said.text), talk, said) for talk, said in _messages(work)]
    found = [(talk, said) for words, talk, said in counted if words < SHORTEST_WORDS]
    mean = sum(words for words, *_ in counted) / max(len(counted), 1)
    return _by_share("short_messages", work, found, share, {"mean_words": mean})


def shouting(work: WorkerWork, share: float) -> Flag | None:
    """Messages in capitals are at least ``share`` of all, and at least two."""
    found = [(talk, said) for talk, said in _messages(work) if is_shouted(said.text)]
    return _by_share("shouting", work, found, share, fewest=2)


def is_shouted(text: str) -> bool:
    """Whether every letter that has a case is a capital, and there are enough of them in more than one word.

    Digits and punctuation have no case: a number is not shouting. Abbreviations alone are none either.
    """
    if not text.isupper():
        return False
    words = [word for word in text.split() if word.isupper()]
    return len(words) > 1 and sum(c.isupper() for c in text) >= SHOUTED_LETTERS


def repeating(work: WorkerWork, share: float) -> Flag | None:
    """Messages that say what the worker said before in the same talk are at least ``share`` of all, and at least two.

    Any repeat counts, not only of the first message. Messages under three words do not: who says "thank you" twice
    repeats nothing, and who only says such things is found by ``short_writing``.
    """
    found = [(talk, said) for talk in work.talks for said in repeats(talk.said)]
    return _by_share("repeating", work, found, share, fewest=2)


def repeats(said: Sequence[Said]) -> Iterator[Said]:
    """The messages whose text stood in an earlier one of the same talk."""
    seen: set[str] = set()
    for message in said:
        if count_words(message.text) < SHORTEST_WORDS:
            continue
        text = normalise(message.text)
        if text in seen:
            yield message
        seen.add(text)


def greeting_openings(work: WorkerWork, share: float) -> Flag | None:
    """Talks that the worker opened with a greeting although something was said before are at least ``share``."""
    seeded = [talk for talk in work.talks if talk.opened and talk.said]
    found = [talk for talk in seeded if is_greeting(talk.said[0].text)]
    if not found or len(found) < share * len(seeded):
        return None
    return Flag(
        "greeting_openings",
        {"talks": len(seeded), "greeted": len(found), "share": len(found) / len(seeded)},
        tuple(Place(talk.talk, talk.said[0].position) for talk in found),
    )


def is_greeting(text: str) -> bool:
    """Whether a message begins with a greeting, whatever stands behind it: "Hi," and "hey!!" are greetings."""
    words = normalise(text).split()[:2]
    return bool(words) and (words[0] in GREETINGS or tuple(words) in GREETING_PAIRS)


def persona_copies(work: WorkerWork, share: float) -> Flag | None:
    """Talks in which a copy of the persona was refused are at least ``share``, and at least two.

    Nothing of it was stored or heard: it tells how a worker goes about the task.
    """
    found = [talk for talk in work.talks if talk.refused.get("persona_copy")]
    if len(found) < max(2, share * len(work.talks)):
        return None
    copies = sum(talk.refused["persona_copy"] for talk in found)
    return Flag(
        "persona_copies",
        {
            "talks": len(work.talks),
            "found": len(found),
            "copies": copies,
            "share": len(found) / len(work.talks),
        },
        tuple(Place(talk.talk) for talk in found),
    )


def unsafe_messages(work: WorkerWork, probability: float) -> Flag | None:
    """At least one message is unsafe with at least ``probability``, as the safety classifier says."""
    found = [
        (talk, said)
        for talk, said in _messages(work)
        if said.unsafe is not None and said.unsafe >= probability
    ]
    if not found:
        return None
    worst = max(said.unsafe or 0.0 for _, said in found)
    return _flag("unsafe_messages", work, found, {"highest_probability": round(worst, 4)})


def verbatim_accepting(offered: Sequence[Sequence[str]], sent: Sequence[str], share: float) -> float | None:
    """The share of a guided speaker's messages that are a suggestion word for word, where it is at least ``share``.

    ``offered`` holds the suggestions before each message of ``sent``. None below the share, and below
    ``FEWEST_MESSAGES`` messages (Smith et al. 2020, section 3.1: guided speakers who always accept).
    """
    if len(sent) < FEWEST_MESSAGES:
        return None
    accepted = sum(
        normalise(text) in {normalise(each) for each in choices}
        for choices, text in zip(offered, sent, strict=True)
    )
    return accepted / len(sent) if accepted >= share * len(sent) else None


def _messages(work: WorkerWork) -> Iterator[tuple[TalkWork, Said]]:
    return ((talk, said) for talk in work.talks for said in talk.said)


def _by_share(
    rule: str,
    work: WorkerWork,
    found: list[tuple[TalkWork, Said]],
    share: float,
    numbers: dict[str, float | int | str] | None = None,
    fewest: int = 1,
) -> Flag | None:
    if work.messages < FEWEST_MESSAGES or len(found) < max(fewest, share * work.messages):
        return None
    return _flag(rule, work, found, {"share": len(found) / work.messages, **(numbers or {})})


def _flag(
    rule: str, work: WorkerWork, found: list[tuple[TalkWork, Said]], numbers: dict[str, float | int | str]
) -> Flag:
    return Flag(
        rule,
        {"messages": work.messages, "found": len(found), **numbers},
        tuple(Place(talk.talk, said.position) for talk, said in found),
    )
