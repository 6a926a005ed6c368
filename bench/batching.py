"""What batching wins: talks that say the next thing as soon as they are answered, by a model that takes 20 ms a batch.

    .venv/bin/python bench/batching.py [--talks 100] [--postgresql URL] [--redis URL]

Each way is a worker of its own: one turn at a time through the model, and batches as the site's defaults make them.
Turns go the whole way through database, queue and worker; the driver calls the service that sockets call, and hears
replies from the channel layer.
"""

from __future__ import annotations

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import own_site
from machine import machine

options = own_site.parser(__doc__.splitlines()[0])
options.add_argument("--talks", type=int, default=100, help="how many at once")
options.add_argument("--seconds", type=float, default=15.0, help="that are counted, for each way")
options.add_argument("--delay-ms", type=float, default=20.0, help="that the model takes for a batch")
arguments = options.parse_args()
own_site.open_site(arguments)

from channels.layers import get_channel_layer  # noqa: E402
from django.conf import settings  # noqa: E402
from django.db import close_old_connections  # noqa: E402

from chat import turns  # noqa: E402
from chat.events import MessageEvent, group_name  # noqa: E402
from ratings.simulation.summary import percentile  # noqa: E402

WAYS = {"one task a turn": {"SERVING_BATCH_SIZE": "1", "TURNS_A_TASK": "1"}, "batches": {}}
#: Of this process, which asks.
TURNS_A_TASK = settings.TURNS_A_TASK
SETTLING_S = 3.0
PATIENCE_S = 60.0


class Driver:
    """Keeps every talk busy: its next message goes out when its reply has come."""

    def __init__(self, talks: list[own_site.Talk]) -> None:
        from chat.models import Conversation

        ids = [talk.conversation_id for talk in talks]
        self.talks = list(Conversation.objects.filter(pk__in=ids).values_list("pk", "participation_id"))
        self.times_ms: list[float] = []
        self.saying = ThreadPoolExecutor(2)

    async def run(self, seconds: float) -> None:
        self.counted_from = time.monotonic() + SETTLING_S
        self.until = self.counted_from + seconds
        await asyncio.gather(*(self.talk(conversation, person) for conversation, person in self.talks))
        self.saying.shutdown()

    async def talk(self, conversation: UUID, person: UUID) -> None:
        layer, loop = get_channel_layer(), asyncio.get_running_loop()
        channel = await layer.new_channel()
        await layer.group_add(group_name(conversation), channel)
        turn = 0
        while (said_at := time.monotonic()) < self.until:
            turn += 1
            await loop.run_in_executor(self.saying, self.say, conversation, person, turn)
            await asyncio.wait_for(self.reply(layer, channel), PATIENCE_S)
            if said_at >= self.counted_from:
                self.times_ms.append((time.monotonic() - said_at) * 1000)

    def say(self, conversation: UUID, person: UUID, turn: int) -> None:
        turns.say(conversation, person, f"message {turn}", f"c{turn}")
        close_old_connections()

    async def reply(self, layer, channel: str) -> None:
        while True:
            event = await layer.receive(channel)
            frames = [frame for frame in event.get("frames", ()) if frame["type"] == MessageEvent.type]
            if any(frame["speaker"] == "partner" for frame in frames):
                return


def measured(study, way: str) -> tuple[float, float, float]:
    """Turns a second, and the reply's 50th and 95th percentile in milliseconds."""
    settings.TURNS_A_TASK = int(WAYS[way].get("TURNS_A_TASK", TURNS_A_TASK))
    with own_site.running_site(webs=0, variables=WAYS[way]) as site:
        driver = Driver(own_site.begin_talks(study, ["http://nowhere"], arguments.talks))
        used = own_site.ProcessorTime(site.pids)
        asyncio.run(driver.run(arguments.seconds))
        cores = ", ".join(f"{name} {share:.2f}" for name, share in used.cores().items())
        times = driver.times_ms
        rate = len(times) / arguments.seconds
        print(
            f"| {way} | {rate:.1f} | {percentile(times, 50):.0f} | {percentile(times, 95):.0f} | {cores} |",
            flush=True,
        )
    return rate, percentile(times, 50), percentile(times, 95)


try:
    own_site.migrate()
    made = own_site.make_study(own_site.scripted(arguments.delay_ms))
    print(
        f"{own_site.services(arguments)}, {arguments.talks} talks at once, {arguments.delay_ms:g} ms a batch"
    )
    print(f"{machine()}\n\n| way | turns/s | replied p50, ms | p95 | cores used |\n|---|---|---|---|---|")
    (slow, _, slow_p95), (fast, _, fast_p95) = (measured(made, way) for way in WAYS)
    print(f"\n{fast / slow:.1f} times the throughput, {fast_p95 / slow_p95:.2f} of the 95th percentile")
finally:
    own_site.close_site(arguments)
