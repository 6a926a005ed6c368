"""What a run counted, for people and for a table."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from tests.chaos.client_log import Event, Kind
from tests.chaos.judge import Stored

SHOWN = 20
TRACEBACK = "Traceback (most recent call last)"
ERROR = re.compile(r"\S+ (?:ERROR|CRITICAL) +(.*)")
VARIES = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}|0x[0-9a-f]+|\d+")


@dataclass
class Outcome:
    """One run. ``findings`` is empty where everything was as promised."""

    name: str
    seed: int
    seconds: float
    strikes: dict[str, int] = field(default_factory=dict)
    counts: dict[str, Any] = field(default_factory=dict)
    findings: list[str] = field(default_factory=list)

    @property
    def is_green(self) -> bool:
        return not self.findings

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def counts_of(events: Sequence[Event], stored: Stored) -> dict[str, Any]:
    """What happened to people, and what the database has of it."""
    kinds = Counter(event.kind for event in events)
    states = Counter(stored.talks.values())
    heard = Counter((e.talk, e.position) for e in events if e.kind is Kind.HEARD and e.speaker == "partner")
    turns = stored.turns.values()
    return {
        "people": len({event.person for event in events}),
        "talks": len(stored.talks),
        "rated": states["complete"],
        "left by their person": states["withdrawn"],
        "ended by the site, paid": states["failed"],
        "messages accepted": kinds[Kind.ACCEPTED],
        "replies heard": len(heard),
        "replies brought again after a reconnection": heard.total() - len(heard),
        "sockets opened": kinds[Kind.CONNECTED],
        "replies that took several attempts": sum(turn.attempt > 1 for turn in turns),
        "replies asked again": sum(turn.asked_again > 0 or turn.attempt > 1 for turn in turns),
        **{
            f"longest wait for {what}, s": longest(events, what)
            for what in ("accept", "reply", "page", "rate")
        },
    }


def longest(events: Iterable[Event], what: str) -> float:
    waits = [event.seconds for event in events if event.kind is Kind.WAITED and event.text == what]
    return round(max(waits, default=0.0), 1)


def errors(logs: Iterable[Path]) -> Counter[str]:
    """What the site's processes logged as errors, by process, without what varies."""
    found: Counter[str] = Counter()
    for log in logs:
        for line in log.read_text(errors="replace").splitlines():
            if match := ERROR.match(line):
                found[f"{log.stem.partition('-')[0]}: {VARIES.sub('#', match[1])[:140]}"] += 1
            elif TRACEBACK in line:
                found[f"{log.stem.partition('-')[0]}: {TRACEBACK}"] += 1
    return found


def lines_of(outcome: Outcome) -> list[str]:
    """The outcome in words."""
    struck = ", ".join(f"{what} {count}" for what, count in sorted(outcome.strikes.items()))
    told = [
        f"{outcome.name}, seed {outcome.seed}: {sum(outcome.strikes.values())} kill points in {outcome.seconds:.0f} s"
    ]
    told += [f"  {struck}", *(f"  {what:44} {value}" for what, value in outcome.counts.items())]
    told += [f"  FOUND {finding}" for finding in outcome.findings[:SHOWN]]
    if len(outcome.findings) > SHOWN:
        told.append(f"  ... and {len(outcome.findings) - SHOWN} more")
    return [
        *told,
        "  everything is as promised" if outcome.is_green else f"  {len(outcome.findings)} findings",
    ]


def table(outcomes: Sequence[Mapping[str, Any]]) -> str:
    """Outcomes side by side in Markdown."""
    head = ["", *(str(outcome["name"]) for outcome in outcomes)]
    rows = [head, ["---"] * len(head)]
    rows.append(["kill points", *(str(sum(outcome["strikes"].values())) for outcome in outcomes)])
    for what in dict.fromkeys(what for outcome in outcomes for what in outcome["counts"]):
        rows.append([what, *(str(outcome["counts"].get(what, "")) for outcome in outcomes)])
    rows.append(["findings", *(str(len(outcome["findings"])) for outcome in outcomes)])
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)
