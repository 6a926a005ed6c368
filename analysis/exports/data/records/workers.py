"""The people of a study, or its simulated workers: how far each came."""

from __future__ import annotations

from collections.abc import Iterator

from analysis.exports.data.records.kind import Kind
from analysis.exports.data.schema import Field, Record, Type, moment
from analysis.exports.data.source import ROWS_AT_ONCE, Source

FIELDS = (
    Field("worker", Type.TEXT, "The worker."),
    Field("simulated", Type.FLAG, "Whether a program works in place of a person."),
    Field("behaviour", Type.TEXT, "How a simulated worker behaves; null for people.", optional=True),
    Field("state", Type.TEXT, "`entered`, `declined`, `consented`, `left` or `done`."),
    Field("talks_taken", Type.WHOLE, "Talks that were begun, without those that failed by the site's fault."),
    Field("talks_cap", Type.WHOLE, "Talks that they may have at most."),
    Field("consent_sha256", Type.TEXT, "Hash of the text that they agreed to.", optional=True),
    Field("entered_at", Type.TIME, "When they came."),
    Field("consented_at", Type.TIME, "When they agreed.", optional=True),
    Field("ended_at", Type.TIME, "When they left or were done.", optional=True),
    Field("excluded_at", Type.TIME, "Since when none of their talks counts.", optional=True),
)


def read(source: Source) -> Iterator[Record]:
    """Excluded workers too: their number belongs to what is published."""
    rows = (
        source.participations()
        .order_by("pk")
        .values_list(
            *("worker_id", "worker__simulated", "worker__behaviour", "state", "talks_taken", "talks_cap"),
            *("consent_sha256", "created_at", "consented_at", "ended_at", "excluded_at"),
        )
    )
    for worker, simulated, behaviour, state, taken, cap, sha256, *times in rows.iterator(
        chunk_size=ROWS_AT_ONCE
    ):
        entered_at, consented_at, ended_at, excluded_at = map(moment, times)
        yield {
            "worker": source.names.of(worker),
            "simulated": simulated,
            "behaviour": behaviour or None,
            "state": state,
            "talks_taken": taken,
            "talks_cap": cap,
            "consent_sha256": sha256 or None,
            "entered_at": entered_at,
            "consented_at": consented_at,
            "ended_at": ended_at,
            "excluded_at": excluded_at,
        }


WORKERS = Kind(
    name="workers",
    about="Everybody who entered the study, excluded or not, and how far they came.",
    fields=FIELDS,
    read=read,
    key="worker",
)
