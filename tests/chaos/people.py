"""People who talk and rate through the site's front door, whatever becomes of it, and note all that they see."""

from __future__ import annotations

import asyncio
import itertools
import json
import random
import time
import uuid
from collections.abc import Awaitable
from dataclasses import dataclass
from typing import TypeVar

import httpx

from ratings.simulation import errors
from ratings.simulation.browserless import OVER, Visitor
from ratings.simulation.pages import Page
from tests.chaos.client_log import ClientLog, Kind

T = TypeVar("T")

AXES = ("knowledge", "empathy", "personal", "overall")
#: Who waits longer for one thing gives up; the judge has found them stuck long before.
PATIENCE_S = 180.0
#: Shares of what people do: reload the page while they wait, leave in the middle of a talk, go on after the minimum.
RELOAD_SHARE, LEAVE_SHARE, GO_ON_SHARE = 0.06, 0.03, 0.4


@dataclass(frozen=True, slots=True)
class Crowd:
    """Where people go and how they are: ``think_s`` is the mean time before each message."""

    site: str
    study: str
    talks: int
    think_s: float
    seed: int


class Person(Visitor):
    """A visitor with a log. Unlike the simulation's they take people's slots."""

    def __init__(self, number: int, crowd: Crowd, log: ClientLog, stop: asyncio.Event) -> None:
        super().__init__(crowd.site, crowd.study, patience_s=PATIENCE_S, watch=self._watch)
        self.number = number
        self.crowd = crowd
        self.log = log
        self.stop = stop
        self.rng = random.Random(f"{crowd.seed} person {number}")
        self.said = 0
        self._has_met_site = True  # their first page may find a process that is just struck

    # --- What they see ---

    def note(self, kind: Kind, **fields: object) -> None:
        self.log.note(self.number, kind, talk=self.talk_id.replace("-", ""), **fields)

    def _watch(self, source: str, text: str) -> None:
        if source != "frame":
            return
        frame = json.loads(text)
        if frame["type"] == "message":
            self.note(Kind.HEARD, position=frame["position"], speaker=frame["speaker"], text=frame["text"])

    async def connect(self) -> None:
        await super().connect()
        self.note(Kind.CONNECTED)

    async def timed(self, what: str, step: Awaitable[T]) -> T:
        """A step, with what it took in the log even when it fails."""
        begun = time.monotonic()
        try:
            return await step
        finally:
            self.note(Kind.WAITED, text=what, seconds=round(time.monotonic() - begun, 3))

    # --- What they do ---

    async def visit(self) -> None:
        """Their whole way: consent, talks until they have had enough, the code."""
        await self.timed("page", self.enter())
        await self.timed("page", self.consent())
        while await self.talk():
            pass
        code = await self.timed("page", self.code())
        if not code and not self._path.endswith("/done/"):
            await self.timed("page", self.leave())
            code = await self.timed("page", self.code())
        self.note(Kind.CODE, text=code)

    async def talk(self) -> bool:
        """One talk; whether there is another to come."""
        page = await self.timed("page", self.get(f"/e/{self.study}/next/"))
        if not page.form_to(f"/e/{self.study}/next/"):
            return False
        await self.timed("page", self.start_talk())
        self.note(Kind.STARTED)
        try:
            goes_on = await self.converse()
        except errors.TalkEnded:
            self.note(Kind.ENDED)
            goes_on = True
        await self.drop()
        return goes_on and not self.stop.is_set()

    async def converse(self) -> bool:
        """Talk until it is to be rated, and rate it. False for those who leave. Raises TalkEnded."""
        while await self.timed("turn", self.until("yours", *OVER)) == "yours":
            if self.rng.random() < LEAVE_SHARE:
                await self.timed("page", self.leave())
                self.note(Kind.LEFT)
                return False
            if self.state["may_finish"] and self.rng.random() > GO_ON_SHARE:
                await self.timed("finish", self.finish())
                break
            await asyncio.sleep(self.crowd.think_s * self.rng.uniform(0.5, 1.5))
            await self.exchange()
        if self.state["phase"] == "ended":
            raise errors.TalkEnded(self.talk_id)
        await self.give_ratings()
        return True

    async def exchange(self) -> None:
        """Say something and hear the reply."""
        self.said += 1
        client_id = uuid.UUID(int=self.rng.getrandbits(128)).hex
        text = f"Sentence {self.said} of guest {self.number}, who was thinking of {client_id[:12]} today."
        self.note(Kind.SAID, client_id=client_id, text=text)
        begun = time.monotonic()
        try:
            position = await self.timed("accept", self.say(text, client_id))
        except errors.Refused as refusal:
            if refusal.code != "talk_over":
                raise
            raise errors.TalkEnded(str(refusal)) from refusal
        self.note(Kind.ACCEPTED, client_id=client_id, text=text, position=position)
        if self.rng.random() < RELOAD_SHARE:
            await self.drop()
            await self.reconnect()
        try:
            await self.reply()
        finally:
            self.note(Kind.WAITED, text="reply", seconds=round(time.monotonic() - begun, 3))

    async def give_ratings(self) -> None:
        scores = tuple((axis, self.rng.randint(1, 5)) for axis in AXES)
        page = await self.timed("rate", self.send_ratings(scores))
        if page.status >= 400:
            raise errors.UnexpectedPage(f"The ratings were answered with {page.status}: {page.heading}")
        self.note(Kind.RATED, scores=scores)

    async def send_ratings(self, scores: tuple[tuple[str, int], ...]) -> Page:
        self.note(Kind.RATING, scores=scores)
        return await self.rate(dict(scores))


async def seat(first: int, step: int, crowd: Crowd, log: ClientLog, stop: asyncio.Event) -> None:
    """Somebody sits here all the time: whoever has finished makes room for the next, until told to stop."""
    for number in itertools.count(first, step):
        async with Person(number, crowd, log, stop) as person:
            try:
                await person.visit()
            except (errors.SimulationError, OSError, httpx.HTTPError, KeyError) as error:
                person.note(Kind.STUCK, text=f"{type(error).__name__}: {error}")
        if stop.is_set():
            return


async def fill_seats(crowd: Crowd, log: ClientLog, stop: asyncio.Event) -> None:
    """As many people at once as there are talks; they come over the first seconds, as people do."""
    async with asyncio.TaskGroup() as group:
        for place in range(1, crowd.talks + 1):
            group.create_task(seat(place, crowd.talks, crowd, log, stop))
            await asyncio.sleep(crowd.think_s / crowd.talks)
