"""How long it takes to export a whole study in each format, and how much memory.

    .venv/bin/python bench/export.py [--messages 1000000] [--formats jsonl,csv,...] [--postgresql URL]

The study has ten messages and four ratings a talk, ten talks a worker. Each format is written by a process of its own,
``manage.py export``, whose largest memory is printed; ``manage.py bundle_tables`` makes a bundle's tables again.
"""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import own_site
from machine import machine

FORMATS = "jsonl,csv,parquet,parlai,huggingface,bundle"
options = own_site.parser(__doc__.splitlines()[0])
options.add_argument("--messages", type=int, default=1_000_000, help="in all, half of them the models'")
options.add_argument("--formats", default=FORMATS, help="model_chat, too, writes four small files a talk")
options.add_argument("--seed", type=int, default=1)
arguments = options.parse_args()
own_site.open_site(arguments)

from django.conf import settings  # noqa: E402
from django.utils import timezone  # noqa: E402

from chat.models import Conversation, Message, Participation, Study, Worker  # noqa: E402
from ratings.axes import Axis  # noqa: E402
from ratings.models import Rating  # noqa: E402

MESSAGES, TALKS = 10, 10
WORKERS_AT_ONCE = 250
WORDS = "I you we they like see make find bread lakes dogs music often never always today maybe with about for".split()


class Collector:
    """Rows of a study, some thousand at a time."""

    def __init__(self, study: Study, rng: random.Random) -> None:
        self.study, self.rng = study, rng
        self.arms = list(study.arms.all())
        self.contexts = list(study.contexts.all())
        self.began = timezone.now() - timedelta(days=1)

    def store(self, workers: int) -> None:
        for start in range(0, workers, WORKERS_AT_ONCE):
            self._some(min(WORKERS_AT_ONCE, workers - start))

    def _some(self, workers: int) -> None:
        everybody = Worker.objects.bulk_create(Worker() for _ in range(workers))
        people = Participation.objects.bulk_create(
            Participation(study=self.study, worker=worker, talks_cap=TALKS, state="done")
            for worker in everybody
        )
        talks = Conversation.objects.bulk_create(
            self._talk(person, number) for person in people for number in range(1, TALKS + 1)
        )
        Message.objects.bulk_create(
            (said for talk in talks for said in self._messages(talk)), batch_size=5_000
        )
        Rating.objects.bulk_create(
            Rating(conversation=talk, axis=axis, score=self.rng.randint(1, 5))
            for talk in talks
            for axis in Axis
        )

    def _talk(self, person: Participation, number: int) -> Conversation:
        return Conversation(
            participation=person,
            arm=self.rng.choice(self.arms),
            context=self.rng.choice(self.contexts),
            ordinal=number,
            state=Conversation.State.COMPLETE,
            holds_slot=False,
            last_position=MESSAGES,
            last_activity_at=self.began,
            rating_at=self.began,
            ended_at=self.began + timedelta(seconds=self.rng.randrange(86_400)),
        )

    def _messages(self, talk: Conversation) -> Iterator[Message]:
        for position in range(1, MESSAGES + 1):
            text = " ".join(self.rng.choices(WORDS, k=12))
            if position % 2:
                yield Message(conversation=talk, position=position, speaker="worker", text=text)
            else:
                evidence = {"skill": "ed", "source": "ed", "candidate": position, "score": self.rng.random()}
                times = {"queued_ms": 3, "generated_ms": 40, "held_ms": 0}
                yield Message(
                    conversation=talk,
                    position=position,
                    speaker="model",
                    text=text,
                    evidence=evidence,
                    **times,
                )


def measured(*command: str) -> tuple[float, float]:
    """Seconds and the largest memory in MB of a ``manage.py`` command."""
    began = time.monotonic()
    whole = [sys.executable, str(own_site.PROJECT / "manage.py"), *command]
    process = subprocess.Popen(whole, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"manage.py {' '.join(command)} ended with {os.waitstatus_to_exitcode(status)}")
    return time.monotonic() - began, usage.ru_maxrss / 1024


def size_mb(folder: Path) -> float:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1e6


def show(name: str, folder: Path) -> None:
    seconds, memory = measured("export", "--study", "bench", "--out", str(folder), "--format", name)
    print(f"{name}: {seconds:.1f} s, {size_mb(folder):.0f} MB, at most {memory:.0f} MB of memory", flush=True)
    if name == "bundle":
        again, memory = measured("bundle_tables", "--bundle", str(folder), "--output", os.devnull)
        print(f"bundle_tables: {again:.1f} s, at most {memory:.0f} MB of memory", flush=True)
    shutil.rmtree(folder)


try:
    own_site.migrate()
    made = own_site.make_study(own_site.scripted(0))
    began = time.monotonic()
    Collector(made, random.Random(arguments.seed)).store(arguments.messages // (MESSAGES * TALKS))
    print(
        f"{own_site.services(arguments)}; {machine()}; stored in {time.monotonic() - began:.0f} s", flush=True
    )
    print(f"{Message.objects.count()} messages, {Rating.objects.count()} ratings", flush=True)
    for each in arguments.formats.split(","):
        show(each, Path(settings.DATA_DIR) / f"export-{each}")
finally:
    own_site.close_site(arguments)
