"""Many talks at once through real sockets: how soon messages are acknowledged and answered, and whether any is lost.

    .venv/bin/python bench/many_talks.py [--talks 500] [--think 5] [--webs 1] \\
        [--postgresql postgres://postgres@127.0.0.1:5432] [--redis redis://127.0.0.1:6379/8]

The site is one of the bench's own, and its clients run on the same cores. The model is scripted, so that what is
measured is the site; or, with ``--candidates``, a poly-encoder of the paper's size with random weights and such a bank.
"""

from __future__ import annotations

import asyncio

import own_site
from machine import machine
from talkers import Load, compare

options = own_site.parser(__doc__.splitlines()[0])
options.add_argument("--talks", type=int, nargs="+", default=[500], help="how many at once, one run each")
options.add_argument("--think", type=float, default=5.0, help="mean seconds to think")
options.add_argument("--webs", type=int, default=1, help="web processes")
options.add_argument("--seconds", type=float, default=40.0, help="that are counted")
options.add_argument("--delay-ms", type=float, default=20.0, help="that the scripted model takes for a batch")
options.add_argument(
    "--candidates", type=int, help="of a poly-encoder of the paper's size, in the scripted one's place"
)
options.add_argument("--device", default="cpu", help="where it runs: cpu, cuda")
options.add_argument("--threads", type=int, default=32, help="SERVING_THREADS")
arguments = options.parse_args()
own_site.open_site(arguments)

from ratings.simulation.summary import percentile  # noqa: E402


def measured(study, talks: int) -> list[str]:
    variables = {"SERVING_DEVICE": arguments.device, "SERVING_THREADS": str(arguments.threads)}
    with own_site.running_site(arguments.webs, variables) as site:
        begun = own_site.begin_talks(study, site.addresses, talks)
        used = own_site.ProcessorTime(site.pids)
        load = Load(begun, arguments.think, settling_s=arguments.think, seconds=arguments.seconds)
        counts = asyncio.run(load.run())
        cores = used.cores()
    lost, doubled = compare(begun, counts)
    acknowledged, replied = counts.acknowledged_ms, counts.replied_ms
    return [
        str(talks),
        f"{len(replied) / arguments.seconds:.1f}",
        *(f"{percentile(acknowledged, percent):.0f}" for percent in (50, 95, 99)),
        *(f"{percentile(replied, percent):.0f}" for percent in (50, 95)),
        f"{counts.heard} of {counts.said}",
        str(lost),
        str(doubled),
        ", ".join(f"{what} {times}" for what, times in counts.problems.items()) or "none",
        ", ".join(f"{name} {share:.2f}" for name, share in cores.items()),
    ]


COLUMNS = ["talks", "turns/s", "acknowledged p50, ms", "p95", "p99", "replied p50, ms", "p95"]
COLUMNS += ["replies", "lost", "doubled", "problems", "cores used"]

try:
    own_site.migrate()
    count = arguments.candidates
    model = own_site.paper_size(count) if count else own_site.scripted(arguments.delay_ms)
    made = own_site.make_study(model)
    where = f"{own_site.services(arguments)}, {arguments.webs} web process(es)"
    print(f"{model.model.name} on {arguments.device}; {where}, {arguments.think:g} s to think")
    print(f"{machine()}\n")
    print("| " + " | ".join(COLUMNS) + " |\n|" + "---|" * len(COLUMNS), flush=True)
    for talks in arguments.talks:
        print("| " + " | ".join(measured(made, talks)) + " |", flush=True)
finally:
    own_site.close_site(arguments)
