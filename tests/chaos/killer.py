"""Who is struck when, and how: a plan from a seed, and its execution at moments that matter."""

from __future__ import annotations

import asyncio
import random
import signal
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from tests.chaos.client_log import ClientLog, Kind
from tests.chaos.front import Front
from tests.chaos.processes import Process

NETWORK = "network"
#: Relative frequency of each target; those that a run lacks are left out.
WEIGHTS = {
    "web-1": 20,
    "web-2": 20,
    "worker-1": 10,
    "worker-2": 10,
    "sweeper": 7,
    "redis": 12,
    "queue": 12,
    "rabbitmq": 8,
    "postgresql": 10,
    NETWORK: 5,
}
SHORTEST_PAUSE_S, LONGEST_PAUSE_S = 0.3, 3.0
#: How long a strike waits for its moment, and the most that passes between the moment and the strike.
MOMENT_LIMIT_S, LATEST_S = 4.0, 0.05


class How(StrEnum):
    """What is done to a process."""

    KILL = "killed"  # SIGKILL
    TERM = "stopped"  # asked to end
    ABORT = "aborted"  # PostgreSQL's immediate shutdown
    FREEZE = "frozen"  # SIGSTOP, and SIGCONT later
    CUT = "cut"  # connections lost


@dataclass(frozen=True, slots=True)
class Strike:
    """One kill point. ``moment`` is what must have just happened, if anything; ``away_s`` until it comes back.

    ``waits_for_twin``: not while the other process of its kind is away. Where all are, nobody is answered for as long
    as one takes to start, which is no fault of the site.
    """

    target: str
    how: How
    moment: Kind | None
    pause_s: float
    away_s: float
    waits_for_twin: bool = False


#: How many of the strikes that could leave nobody to answer do not.
WAITING_SHARE = 0.75
#: (how, weight, shortest and longest absence in seconds)
WAYS: Mapping[str, Sequence[tuple[How, int, float, float]]] = {
    "web": ((How.KILL, 6, 0.1, 3), (How.TERM, 3, 0.1, 3), (How.FREEZE, 1, 2, 10)),
    # Longer than a lease (TURN_LEASE_S): what the frozen one then answers was asked of another.
    "worker": ((How.KILL, 6, 0.1, 3), (How.TERM, 2, 0.1, 3), (How.FREEZE, 1, 2, 10), (How.FREEZE, 1, 27, 32)),
    "sweeper": ((How.KILL, 3, 0.1, 3), (How.TERM, 1, 0.1, 3)),
    "redis": ((How.KILL, 7, 0.1, 4), (How.TERM, 2, 0.1, 4), (How.FREEZE, 1, 2, 6)),
    "queue": ((How.KILL, 7, 0.1, 4), (How.TERM, 2, 0.1, 4), (How.FREEZE, 1, 2, 6)),
    "rabbitmq": ((How.KILL, 3, 0.1, 3), (How.TERM, 1, 0.1, 3)),
    "postgresql": ((How.KILL, 5, 0.1, 4), (How.ABORT, 2, 0.1, 4), (How.TERM, 3, 0.1, 4)),
    NETWORK: ((How.CUT, 1, 0, 0),),
}
#: Moments that matter to each target, most of all the one between a message and its acknowledgement.
MOMENTS: Mapping[str, Sequence[Kind | None]] = {
    "web": (Kind.SAID, Kind.SAID, Kind.ACCEPTED, Kind.RATING, Kind.STARTED, None),
    "worker": (Kind.ACCEPTED, Kind.ACCEPTED, Kind.HEARD, None),
    "redis": (Kind.SAID, Kind.ACCEPTED, Kind.HEARD, None),
    "queue": (Kind.SAID, Kind.ACCEPTED, Kind.HEARD, None),
    "rabbitmq": (Kind.SAID, Kind.ACCEPTED, None),
    "postgresql": (Kind.SAID, Kind.ACCEPTED, Kind.RATING, None),
    "sweeper": (None,),
    NETWORK: (Kind.SAID, Kind.RATING, None),
}


def plan(kills: int, seed: int, targets: Sequence[str]) -> list[Strike]:
    """The strikes of a run, the same for the same seed: each target in proportion to its weight, in random order."""
    rng = random.Random(f"strikes {seed}")
    chosen = [
        name
        for name, count in shares(kills, {name: WEIGHTS[name] for name in targets}).items()
        for _ in range(count)
    ]
    rng.shuffle(chosen)
    return [_strike(name, rng) for name in chosen]


def shares(total: int, weights: Mapping[str, int]) -> dict[str, int]:
    """A total parted by weights, by largest remainders."""
    exact = {name: total * weight / sum(weights.values()) for name, weight in weights.items()}
    counts = {name: int(share) for name, share in exact.items()}
    by_rest = sorted(exact, key=lambda name: counts[name] - exact[name])
    for name in by_rest[: total - sum(counts.values())]:
        counts[name] += 1
    return counts


def _strike(target: str, rng: random.Random) -> Strike:
    kind = target.partition("-")[0]
    how, _, shortest, longest = rng.choices(WAYS[kind], [weight for _, weight, _, _ in WAYS[kind]])[0]
    pause_s = min(max(rng.expovariate(1.0), SHORTEST_PAUSE_S), LONGEST_PAUSE_S)
    waits = kind in ("web", "worker") and rng.random() < WAITING_SHARE
    return Strike(target, how, rng.choice(MOMENTS[kind]), pause_s, rng.uniform(shortest, longest), waits)


class Killer:
    """Carries out a plan. A target that is not ready yet is passed over until it is: all must come back to work."""

    def __init__(
        self, targets: Mapping[str, Process], front: Front, log: ClientLog, rng: random.Random
    ) -> None:
        self._targets = targets
        self._front = front
        self._log = log
        self._rng = rng
        self.done: Counter[tuple[str, How]] = Counter()
        #: Strikes that came at the moment they were meant for.
        self.aimed = 0

    async def carry_out(self, strikes: Sequence[Strike], tell: Callable[[Strike], None]) -> None:
        """Until all are done and everything is back."""
        left = list(strikes)
        async with asyncio.TaskGroup() as returns:
            while left:
                await asyncio.sleep(left[0].pause_s)
                while (strike := next((each for each in left if self._may(each)), None)) is None:
                    await asyncio.sleep(0.1)
                left.remove(strike)
                if strike.moment and await self._log.next(strike.moment, MOMENT_LIMIT_S):
                    self.aimed += 1
                    await asyncio.sleep(self._rng.uniform(0, LATEST_S))
                tell(strike)
                self.done[strike.target, strike.how] += 1
                returns.create_task(self._carry_out(strike))

    def _may(self, strike: Strike) -> bool:
        if strike.target == NETWORK:
            return True
        kind = strike.target.partition("-")[0]
        twins = [process for name, process in self._targets.items() if name.startswith(f"{kind}-")]
        all_ready = all(process.is_ready for process in twins)
        return self._targets[strike.target].is_ready and (all_ready or not strike.waits_for_twin)

    async def _carry_out(self, strike: Strike) -> None:
        if strike.how is How.CUT:
            self._front.cut(0.5)
            return
        process = self._targets[strike.target]
        if strike.how is How.FREEZE:
            await freeze(process, strike.away_s)
            return
        process.is_ready = False
        await process.stop(signal_of(strike))
        await asyncio.sleep(strike.away_s)
        process.start()


def signal_of(strike: Strike) -> signal.Signals:
    """What the target is sent. PostgreSQL ends on SIGTERM only once all have hung up."""
    if strike.how is How.KILL:
        return signal.SIGKILL
    if strike.how is How.ABORT:
        return signal.SIGQUIT
    return signal.SIGINT if strike.target == "postgresql" else signal.SIGTERM


async def freeze(process: Process, seconds: float) -> None:
    """It is asked anew whether it is ready once it goes on."""
    process.is_frozen, process.is_ready = True, False
    process.send(signal.SIGSTOP)
    try:
        await asyncio.sleep(seconds)
    finally:
        process.send(signal.SIGCONT)
        process.is_frozen = False
