"""Reply times with one person chatting: the first reply of each model, and the later ones.

    .venv/bin/python bench/one_talk.py --url http://localhost:8000 --data data

For the very first replies start the site anew before. The visitor is a simulated one and takes no slot.
"""

from __future__ import annotations

import asyncio
from random import Random

from machine import memory_mb, show
from site_data import open_data, parser, worker_pid

options = parser(__doc__.splitlines()[0]).parse_args()
open_data()

from chat.participation import simulation_token  # noqa: E402
from ratings.simulation.behaviours import Behaviour  # noqa: E402
from ratings.simulation.browserless import Visitor  # noqa: E402
from ratings.simulation.summary import percentile  # noqa: E402
from ratings.simulation.talking import Talker  # noqa: E402

TALKS = 8
SCORES = {"knowledge": 3, "empathy": 3, "personal": 3, "overall": 3}


async def main() -> None:
    first: list[float] = []
    later: list[float] = []
    async with Visitor(options.url, options.study) as visitor:
        await visitor.enter(simulation_token(Behaviour.HONEST))
        await visitor.consent()
        for talk in range(TALKS):
            times = await whole_talk(visitor, talk)
            first.append(times[0])
            later += times[1:]
            await visitor.rate(SCORES)
        await visitor.leave()
    now, highest = memory_mb(worker_pid())
    show(
        f"One person, {TALKS} talks, one with each model; {len(later) + TALKS} replies",
        [
            (
                "first reply",
                f"{max(first):.0f} ms the slowest of {TALKS}, {percentile(first, 50):.0f} ms p50",
            ),
            (
                "later replies",
                f"p50 {percentile(later, 50):.0f} ms, p95 {percentile(later, 95):.0f} ms, longest {max(later):.0f} ms",
            ),
            ("worker's memory", f"{now:.0f} MB, {highest:.0f} MB at most"),
        ],
    )


async def whole_talk(visitor: Visitor, seed: int) -> list[float]:
    """Talk until the site ends it; each reply's time in milliseconds."""
    talker = Talker(Behaviour.HONEST, await visitor.start_talk(), Random(seed))
    heard: list[str] = []
    times: list[float] = []
    while await visitor.until("yours", "rating") == "yours":
        await visitor.say(talker.next(heard))
        reply = await visitor.reply()
        heard.append(reply.text)
        times.append(reply.waited_ms)
    return times


asyncio.run(main())
