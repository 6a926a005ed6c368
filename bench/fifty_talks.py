"""Fifty simulated talks at once with two seconds to think: reply times, throughput, the worker's memory.

.venv/bin/python bench/fifty_talks.py --url http://localhost:8000 --data data
"""

from __future__ import annotations

import asyncio
import time

from machine import memory_mb, show
from site_data import open_data, parser, worker_pid

arguments = parser(__doc__.splitlines()[0])
arguments.add_argument("--talks", type=int, default=50, help="how many at once (default: 50)")
arguments.add_argument("--rounds", type=int, default=2, help="talks one after another (default: 2)")
arguments.add_argument("--think", type=float, default=2.0, help="mean seconds to think (default: 2)")
options = arguments.parse_args()
open_data()

from chat.participation import simulation_token  # noqa: E402
from ratings.simulation.behaviours import Behaviour  # noqa: E402
from ratings.simulation.crowd import Plan, Visit, send_crowd  # noqa: E402
from ratings.simulation.summary import percentile  # noqa: E402


async def main() -> None:
    visit = Visit(options.url, options.study, simulation_token, options.think, patience_s=120)
    crowd = [Plan(Behaviour.HONEST, options.rounds, f"bench/{index}") for index in range(options.talks)]
    began = time.monotonic()
    tally = await send_crowd(visit, crowd, options.talks, asyncio.Event(), lambda: None)
    seconds = time.monotonic() - began
    times = tally.reply_ms
    now, highest = memory_mb(worker_pid())
    show(
        f"{options.talks} talks at once, {options.think:g} s to think",
        [
            (
                "talks rated",
                f"{tally.talks_rated} of {tally.talks_planned}; problems: {tally.problems or 'none'}",
            ),
            (
                "replies",
                f"{len(times)} of {tally.messages}, {len(times) / seconds:.1f} a second over {seconds:.0f} s",
            ),
            ("frames asked again", str(tally.asked_again)),
            (
                "reply",
                f"p50 {percentile(times, 50):.0f} ms, p95 {percentile(times, 95):.0f} ms, longest {max(times):.0f} ms",
            ),
            ("worker's memory", f"{now:.0f} MB, {highest:.0f} MB at most"),
        ],
    )


asyncio.run(main())
