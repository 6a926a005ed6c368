"""How long a report takes from the database to a page, and how much memory, stage by stage.

    .venv/bin/python bench/report_database.py [--ratings 1000000] [--workers 25000] [--messages 12] [--postgresql URL]

On SQLite, or with ``--postgresql`` in a database of its own on that server. The talks are of eight models with four
ratings each; each worker's are on four contexts, and three rules flag two workers of a hundred each. What is measured
runs in a process of its own, so that its largest memory is the report's and not that of the filling.

Seconds are the clock's. Beside them stand those of the processor, of this process and of PostgreSQL's for this
connection: with ``--one-core`` and OMP_NUM_THREADS=1 they are what the clock would show if nothing else ran.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import own_site
from machine import machine, memory_mb

T = TypeVar("T")
options = own_site.parser(__doc__.splitlines()[0])
options.add_argument("--ratings", type=int, default=1_000_000, help="in all, four a talk")
options.add_argument("--workers", type=int, default=25_000)
options.add_argument("--messages", type=int, default=12, help="of each talk, half of them the model's")
options.add_argument("--rounds", type=int, default=3)
options.add_argument("--one-core", action="store_true", help="PostgreSQL computes in one process")
options.add_argument("--measure", action="store_true", help="a site that is there: for the bench itself")

MODELS = 8
RULES = ("same_answer_everywhere", "talk_time", "short_messages")
NOW = datetime(2026, 1, 1, tzinfo=UTC)
MESSAGES = """
INSERT INTO chat_message (conversation_id, position, speaker, text, evidence,
                          queued_ms, generated_ms, held_ms, created_at)
WITH places(n) AS (VALUES {positions})
SELECT id, n, CASE n % 2 WHEN 1 THEN 'worker' ELSE 'model' END,
       'what somebody would say in a talk with a stranger', '{{}}',
       CASE n % 2 WHEN 0 THEN 3 + (ordinal * n) % 5 END, CASE n % 2 WHEN 0 THEN 40 + (ordinal * n) % 90 END,
       CASE n % 2 WHEN 0 THEN 0 END, started_at
FROM chat_conversation CROSS JOIN places
"""


def store(table: str, columns: str, rows: Iterable[Sequence[Any]]) -> None:
    """Add rows in bulk, as fast as the database takes them."""
    from django.db import connection, transaction

    with transaction.atomic(), connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            with cursor.copy(f"COPY {table} ({columns}) FROM STDIN") as copy:
                for row in rows:
                    copy.write_row(row)
        else:
            marks = ", ".join("%s" for _ in columns.split(","))
            cursor.executemany(f"INSERT INTO {table} ({columns}) VALUES ({marks})", rows)


def names(draw: np.random.Generator, number: int) -> list[str]:
    text = draw.bytes(16 * number).hex()
    return [text[start : start + 32] for start in range(0, 32 * number, 32)]


def make_study() -> Any:
    from chat import studies
    from modelhub import registry

    revisions = [
        registry.register(f"model-{n}", f"Model {n}", "scripted", None, {"replies": ["yes"]})
        for n in range(MODELS)
    ]
    return studies.create_from_template("table7", slug="bench", revisions=revisions)


def fill(study: Any, talks: int, workers: int, messages: int) -> None:
    """Talks dealt at random to workers of different leniency, each rated on all axes."""
    draw = np.random.default_rng(1)
    people, held = names(draw, workers), names(draw, talks)
    arms = list(study.arms.values_list("pk", flat=True))
    contexts = list(study.contexts.values_list("pk", flat=True))
    worker, model = draw.integers(0, workers, talks), draw.integers(0, MODELS, talks)
    order = np.argsort(worker, kind="stable")
    ordinal = np.empty(talks, dtype=int)
    counts = np.bincount(worker, minlength=workers)
    ordinal[order] = np.arange(talks) - np.repeat(np.cumsum(counts) - counts, counts) + 1
    level = 3 + draw.normal(0, 0.6, workers)[worker] + np.linspace(-0.4, 0.4, MODELS)[model]
    score = np.clip(np.round(level[:, None] + draw.normal(0, 1, (talks, 4))), 1, 5).astype(int)
    store(
        "chat_worker",
        "id, simulated, behaviour, created_at",
        ((person, False, "", NOW) for person in people),
    )
    store(
        "chat_participation",
        "id, study_id, worker_id, state, talks_taken, talks_cap, consent_sha256, created_at",
        (
            (person, study.pk, person, "done", int(count), 1000, "", NOW)
            for person, count in zip(people, counts, strict=True)
        ),
    )
    rest = (False, "complete", False, NOW, NOW)
    store(
        "chat_conversation",
        "id, participation_id, arm_id, context_id, ordinal, last_position, simulated, state, holds_slot, started_at, "
        "last_activity_at",
        (
            (
                talk,
                people[w],
                arms[m],
                contexts[(w + o % 4) % len(contexts)],
                o,
                messages - 2 * (o % 3),
                *rest,
            )
            for talk, w, m, o in zip(held, worker.tolist(), model.tolist(), ordinal.tolist(), strict=True)
        ),
    )
    _store_ratings(held, score.tolist())
    _store_messages(messages)
    _flag(study, people, workers // 50)


def _store_ratings(talks: list[str], score: list[list[int]]) -> None:
    from ratings.axes import Axis

    store(
        "ratings_rating",
        "conversation_id, axis, score, created_at",
        (
            (talk, axis, each, NOW)
            for talk, scores in zip(talks, score, strict=True)
            for axis, each in zip(Axis.values, scores, strict=True)
        ),
    )


def _store_messages(messages: int) -> None:
    from django.db import connection, transaction

    positions = ", ".join(f"({place})" for place in range(1, messages + 1))
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(MESSAGES.format(positions=positions))


def _flag(study: Any, people: list[str], each: int) -> None:
    from ratings.models import Finding, Policy

    policy = Policy.objects.create(study=study, version=1, rules={}, after_talks=0, declared_by="bench")
    Finding.objects.bulk_create(
        Finding(
            participation_id=people[place * each + number],
            rule=rule,
            rule_version=1,
            policy=policy,
            threshold=1,
            numbers={},
            places=[],
            found_at=NOW,
        )
        for place, rule in enumerate(RULES)
        for number in range(each)
    )


def settle() -> None:
    """What PostgreSQL does by itself some minutes after so many rows came."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE" if connection.vendor == "postgresql" else "ANALYZE")


def timed(work: Callable[[], T]) -> tuple[float, T]:
    began = time.perf_counter()
    result = work()
    return time.perf_counter() - began, result


def processor_s(backend: int | None) -> float:
    """Of this process and of PostgreSQL's process with this id."""
    if backend is None:
        return time.process_time()
    fields = Path(f"/proc/{backend}/stat").read_text().rpartition(")")[2].split()
    return time.process_time() + (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def backend_pid(one_core: bool) -> int | None:
    """PostgreSQL's process for our connection, where it is on this machine."""
    from django.db import connection

    if connection.vendor != "postgresql":
        return None
    with connection.cursor() as cursor:
        if one_core:
            cursor.execute("SET max_parallel_workers_per_gather = 0")
        cursor.execute("SELECT pg_backend_pid()")
        pid = int(cursor.fetchone()[0])
    return pid if Path(f"/proc/{pid}/stat").exists() else None


def measure(rounds: int, one_core: bool) -> None:
    """Each stage's seconds in each round; the first round opens the connection and imports what is not imported yet."""
    from analysis.exports import report_html
    from analysis.reading.frames import Population, ratings_frame
    from analysis.report import analysis_of_study
    from analysis.statistics import means
    from analysis.statistics.interval_methods import IntervalOptions
    from analysis.writeup.report import written
    from chat.models import Study

    study, backend = Study.objects.get(), backend_pid(one_core)
    print(f"imports: {memory_mb(os.getpid())[1]:.0f} MB")
    for number in range(1, rounds + 1):
        reading, frame = timed(lambda: ratings_frame(study, Population.PEOPLE))
        read_mb = memory_mb(os.getpid())[1]
        summing, cells = timed(lambda frame=frame: means.summarise(frame.table()))
        placing, _ = timed(lambda cells=cells: means.bold(cells, means.wilson_cr2(cells)))
        kept = f"{len(frame.score)} ratings, sha256 {frame.sha256[:12]}"
        del frame
        parts: list[tuple[str, float]] = []
        busy = processor_s(backend)
        whole, analysis = timed(
            lambda parts=parts: analysis_of_study(
                study, None, IntervalOptions(), tell=lambda part: parts.append((part, time.perf_counter()))
            )
        )
        ended = time.perf_counter()
        writing, page = timed(lambda analysis=analysis: report_html.render(written(analysis)))
        busy = processor_s(backend) - busy
        ends = [*(at for _, at in parts[1:]), ended]
        told = ", ".join(f"{name} {end - at:.2f}" for (name, at), end in zip(parts, ends, strict=True))
        print(
            f"round {number}: database to frame {reading:.2f} s ({kept}; at most {read_mb:.0f} MB); "
            f"frame to 32 cells {summing + placing:.3f} s; to Table 7 {reading + summing + placing:.2f} s\n"
            f"  database to analysis {whole:.2f} s ({told}); page {writing:.2f} s, {len(page) / 1e3:.0f} kB; "
            f"database to page {whole + writing:.2f} s, {busy:.2f} s of the processor; "
            f"at most {memory_mb(os.getpid())[1]:.0f} MB",
            flush=True,
        )


def main() -> None:
    given = options.parse_args()
    if given.measure:
        sys.path.insert(0, str(own_site.PROJECT))
        import django

        django.setup()
        measure(given.rounds, given.one_core)
        return
    own_site.open_site(given)
    try:
        own_site.migrate()
        began = time.monotonic()
        fill(make_study(), given.ratings // 4, given.workers, given.messages)
        settle()
        stored = time.monotonic() - began
        print(f"{own_site.services(given)}; {machine()}; stored in {stored:.0f} s", flush=True)
        again = [sys.executable, __file__, "--measure", "--rounds", str(given.rounds)]
        subprocess.run([*again, *(["--one-core"] if given.one_core else [])], check=True)
    finally:
        own_site.close_site(given)


if __name__ == "__main__":
    main()
