"""How long it takes to judge a whole study, without the safety classifier.

    .venv/bin/python bench/quality.py [--messages 1000000] [--workers 50000] [--postgresql URL]

The crowd is simulated: what honest and bad workers say comes from the lines of ratings.simulation, one in ten is bad.
Also printed: the machine's load as it began, the processor time of our own processes (not the database's), how long one
worker takes who has just finished a talk, and the largest memory.
"""

from __future__ import annotations

import argparse
import os
import random
import resource
import time

import own_site
from machine import machine

WHOSE = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)


def parsed() -> argparse.Namespace:
    options = own_site.parser(__doc__.splitlines()[0])
    options.add_argument("--messages", type=int, default=1_000_000, help="in all, half of them the models'")
    options.add_argument("--workers", type=int, default=50_000)
    options.add_argument("--seed", type=int, default=1)
    return options.parse_args()


def measure(arguments: argparse.Namespace) -> None:
    """Fill a study, judge it twice, and tell."""
    from django.db import connection
    from quality_crowd import TURNS, Crowd

    from ratings.models import Finding

    own_site.migrate()
    study = own_site.make_study(own_site.scripted(0))
    began = time.monotonic()
    Crowd(study, list(study.arms.all()), random.Random(arguments.seed)).store(
        arguments.workers, arguments.messages // (2 * TURNS)
    )
    # As PostgreSQL does by itself with tables that grew over more than a minute.
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    print(
        f"{own_site.services(arguments)}; {machine()}; stored in {time.monotonic() - began:.0f} s", flush=True
    )
    judge(study, "judged")
    judge(study, "again")
    for rule in sorted(set(Finding.objects.values_list("rule", flat=True))):
        print(f"  {rule}: {Finding.objects.filter(rule=rule).count()}")
    print(f"one worker {one_worker_ms(study):.0f} ms")
    ours, theirs = (resource.getrusage(who).ru_maxrss / 1024 for who in WHOSE)
    print(f"at most {ours:.0f} MB, and {theirs:.0f} MB in a process of its own")


def judge(study, word: str) -> None:
    from ratings.quality import judging

    load, began, used = os.getloadavg()[0], time.monotonic(), processor_s()
    found = judging.judge_study(study, simulated=False)
    took = f"{word} in {time.monotonic() - began:.1f} s, {processor_s() - used:.1f} s of processor time"
    counts = (
        f"{found.workers} workers, {found.talks} talks, {2 * found.messages} messages, {found.flags} flags"
    )
    print(f"{took}; load before {load:.1f}; {counts}", flush=True)


def processor_s() -> float:
    return sum(used.ru_utime + used.ru_stime for used in map(resource.getrusage, WHOSE))


def one_worker_ms(study) -> float:
    from django.utils import timezone

    from chat.models import Participation
    from ratings.quality import judging
    from ratings.quality.due import mark_due

    person = Participation.objects.filter(study=study).first()
    assert person
    mark_due(person.pk)
    began = time.monotonic()
    judging.judge_people([person.pk], timezone.now())
    return 1000 * (time.monotonic() - began)


def main() -> None:
    arguments = parsed()
    own_site.open_site(arguments)
    try:
        measure(arguments)
    finally:
        own_site.close_site(arguments)


# Processes that judge import this file anew.
if __name__ == "__main__":
    main()
