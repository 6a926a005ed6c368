"""A crowd of simulated workers, so many at a time, and what came of it."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any

from ratings.simulation import errors
from ratings.simulation.behaviours import Behaviour, cast
from ratings.simulation.browserless import Visitor
from ratings.simulation.judging import Judge
from ratings.simulation.talking import Talker

MOST_TALKS = 10


@dataclass(frozen=True, slots=True)
class Plan:
    """One worker's part, fixed by the crowd's seed before anybody sets out."""

    behaviour: Behaviour
    talks: int
    seed: str


@dataclass(slots=True)
class Tally:
    """What a crowd did. Times are in milliseconds."""

    talks_planned: int = 0
    talks_begun: int = 0
    talks_rated: int = 0
    messages: int = 0
    reply_ms: list[float] = field(default_factory=list)
    refused: Counter[str] = field(default_factory=Counter)
    codes: int = 0
    asked_again: int = 0
    problems: list[str] = field(default_factory=list)
    stopped: bool = False


@dataclass(frozen=True, slots=True)
class Visit:
    """Where the workers go and how patient they are. ``token`` makes an entry token for a behaviour."""

    site: str
    study: str
    token: Callable[[str], str]
    think_s: float = 0.0
    patience_s: float = 60.0


def plans(workers: int, seed: int, talks: int | None = None) -> list[Plan]:
    """Who comes, how they behave and how many talks each wants (``talks`` for all, or 1 to 10 at random)."""
    rng = Random(f"crowd {seed}")
    return [
        Plan(behaviour, talks or rng.randint(1, MOST_TALKS), f"{seed}/{index}")
        for index, behaviour in enumerate(cast(workers, rng))
    ]


async def send_crowd(
    visit: Visit, crowd: list[Plan], concurrency: int, stop: asyncio.Event, on_talk: Callable[[], None]
) -> Tally:
    """Let everybody visit, ``concurrency`` at a time. Setting ``stop`` sends all home at once.

    Raises SiteDown, StudyUnknown or StudyNotOpen when nobody could begin; what happens to single workers
    later is told in the tally.
    """
    await check_site(visit)
    tally = Tally(talks_planned=sum(plan.talks for plan in crowd))
    places = asyncio.Semaphore(concurrency)
    going = [asyncio.create_task(_go(visit, plan, places, tally, on_talk)) for plan in crowd]
    stopping = asyncio.create_task(stop.wait())
    everybody = asyncio.gather(*going)
    either: set[asyncio.Future[Any]] = {stopping, everybody}
    await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
    tally.stopped = stopping.done() and not everybody.done()
    for task in (*going, stopping):
        task.cancel()
    await asyncio.gather(*going, stopping, everybody, return_exceptions=True)
    if not tally.stopped:
        everybody.result()
    return tally


async def check_site(visit: Visit) -> None:
    """Raises SiteDown when no site answers at the address."""
    async with Visitor(visit.site, visit.study, patience_s=visit.patience_s) as visitor:
        page = await visitor.get("/healthz")
    if page.status != 200:
        raise errors.SiteDown(f"{visit.site}/healthz answered {page.status}; is this a site of ours?")


async def _go(
    visit: Visit, plan: Plan, places: asyncio.Semaphore, tally: Tally, on_talk: Callable[[], None]
) -> None:
    async with places:
        try:
            await Walk(visit, plan, tally, on_talk).whole()
        except (errors.StudyUnknown, errors.StudyNotOpen, errors.WrongSite) as error:
            if not tally.talks_begun:
                raise  # it will be the same for everybody
            tally.problems.append(f"{plan.behaviour}: {error}")
        except (errors.SimulationError, OSError) as error:
            tally.problems.append(f"{plan.behaviour}: {error}")


class Walk:
    """One worker's whole way: consent, talks, ratings, code."""

    def __init__(self, visit: Visit, plan: Plan, tally: Tally, on_talk: Callable[[], None]) -> None:
        self.visit = visit
        self.plan = plan
        self.tally = tally
        self.on_talk = on_talk
        self.rng = Random(plan.seed)
        self.judge = Judge(plan.behaviour, Random(f"{plan.seed} judging"))

    async def whole(self) -> None:
        visit = self.visit
        async with Visitor(visit.site, visit.study, patience_s=visit.patience_s) as visitor:
            await visitor.enter(visit.token(self.plan.behaviour))
            await visitor.consent()
            for _ in range(self.plan.talks):
                await self.talk(visitor)
                self.on_talk()
            self.tally.asked_again += visitor.asked_again
            if await self.get_code(visitor):
                self.tally.codes += 1

    async def talk(self, visitor: Visitor) -> None:
        card = await visitor.start_talk()
        self.tally.talks_begun += 1
        talker = Talker(self.plan.behaviour, card, self.rng)
        heard: list[str] = []
        said: list[str] = []
        await visitor.until("yours", "rating")
        while visitor.state["phase"] == "yours" and not self._enough(visitor, len(said)):
            await self._think(talker)
            said.append(await self._say(visitor, talker, heard))
            reply = await visitor.reply()
            self.tally.reply_ms.append(reply.waited_ms)
            heard.append(reply.text)
            await visitor.until("yours", "rating")
        await visitor.finish()
        scores = {axis.value: score for axis, score in self.judge.rate(heard, said).items()}
        page = await visitor.rate(scores, self.judge.choose)
        if page.status >= 400:
            raise errors.UnexpectedPage(f"The ratings were refused: {page.heading}")
        self.tally.talks_rated += 1

    def _enough(self, visitor: Visitor, said: int) -> bool:
        """Whether to stop talking: some go on for a message or two after the minimum, speeders never."""
        if not visitor.state["may_finish"]:
            return False
        return self.plan.behaviour is Behaviour.SPEEDER or self.rng.random() < 0.7

    async def _think(self, talker: Talker) -> None:
        if self.visit.think_s and self.plan.behaviour is not Behaviour.SPEEDER:
            await asyncio.sleep(self.visit.think_s * self.rng.uniform(0.5, 1.5))

    async def _say(self, visitor: Visitor, talker: Talker, heard: list[str]) -> str:
        """Say the next line; what is refused is told in the tally and worded anew, at most once."""
        line = talker.next(heard)
        self.tally.messages += 1
        try:
            await visitor.say(line)
        except errors.Refused as refusal:
            self.tally.refused[refusal.code] += 1
            line = talker.reword()
            await visitor.say(line)
        return line

    async def get_code(self, visitor: Visitor) -> str:
        """Leave when there are talks left that this worker does not want, and read the code."""
        code = await visitor.code()
        if not code:
            await visitor.leave()
            code = await visitor.code()
        return code
