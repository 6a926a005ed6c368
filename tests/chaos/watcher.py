"""Looks into the database each second while everything is struck: what must hold must hold at every moment."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from tests.chaos.database import Away, Database

EACH_S = 1.0
STUCK_AFTER = timedelta(seconds=90)

# Each question is one statement, so that its answer is of one moment. Every row of an answer is a fault, but for the
# first two, of which a row is a fault where its two numbers differ.
SLOTS = """
    SELECT a.id, a.taken, (SELECT count(*) FROM chat_conversation c WHERE c.arm_id = a.id AND NOT c.simulated
        AND c.holds_slot AND c.state IN ('chatting', 'rating', 'complete')) FROM chat_arm a
"""
CAPS = """
    SELECT p.id, p.talks_taken, (SELECT count(*) FROM chat_conversation c WHERE c.participation_id = p.id
        AND c.state <> 'failed') FROM chat_participation p
"""
DOUBLES = """
    SELECT conversation_id, position, count(*) FROM chat_message GROUP BY conversation_id, position
    HAVING count(*) > 1
"""
GAPS = """
    SELECT c.id, c.last_position, count(m.id), max(m.position) FROM chat_conversation c
    LEFT JOIN chat_message m ON m.conversation_id = c.id GROUP BY c.id, c.last_position
    HAVING count(m.id) <> c.last_position OR coalesce(max(m.position), 0) <> c.last_position
"""
STUCK = """
    SELECT t.id, t.state, t.attempt, t.asked_again FROM chat_turn t JOIN chat_conversation c ON c.id = t.conversation_id
    WHERE t.state IN ('asked', 'running', 'held') AND c.state = 'chatting' AND t.asked_at < ?
"""


@dataclass(frozen=True, slots=True)
class Answers:
    """What the database said of one moment."""

    slots: Sequence[tuple[object, int, int]] = ()
    caps: Sequence[tuple[object, int, int]] = ()
    doubles: Sequence[tuple[object, ...]] = ()
    gaps: Sequence[tuple[object, ...]] = ()
    stuck: Sequence[tuple[object, ...]] = ()


def faults(answers: Answers) -> list[str]:
    """What must not be, each in a sentence. Pure."""
    return [
        *(
            f"arm {arm}: {taken} slots taken, {there} talks live or done"
            for arm, taken, there in answers.slots
            if taken != there
        ),
        *(
            f"participation {who}: {taken} talks counted, {there} there"
            for who, taken, there in answers.caps
            if taken != there
        ),
        *(
            f"talk {talk}: {count} messages at position {position}"
            for talk, position, count in answers.doubles
        ),
        *(
            f"talk {talk}: last position {last}, {count} messages up to {most}"
            for talk, last, count, most in answers.gaps
        ),
        *(
            f"turn {turn} ({state}, attempt {attempt}, asked again {again}) is owed for over {STUCK_AFTER.seconds} s"
            for turn, state, attempt, again in answers.stuck
        ),
    ]


def ask(database: Database) -> Answers:
    """Raises Away."""
    return Answers(
        slots=database.rows(SLOTS),
        caps=database.rows(CAPS),
        doubles=database.rows(DOUBLES),
        gaps=database.rows(GAPS),
        stuck=database.rows(STUCK, database.ago(STUCK_AFTER)),
    )


@dataclass
class Watcher:
    """Asks each second until cancelled."""

    database: Database
    on_fault: Callable[[str], None] = lambda fault: None
    looks: int = 0
    away: int = 0
    found: Counter[str] = field(default_factory=Counter)

    async def watch(self) -> None:
        while True:
            await self.look()
            await asyncio.sleep(EACH_S)

    async def look(self) -> None:
        try:
            answers = await asyncio.to_thread(ask, self.database)
        except Away:
            self.away += 1
            return
        self.looks += 1
        for fault in faults(answers):
            if not self.found[fault]:
                self.on_fault(fault)
            self.found[fault] += 1
