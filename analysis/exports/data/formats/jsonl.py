"""Records as JSON Lines: one object a line, UTF-8, each naming its schema first."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path

from analysis.errors import ExportRefused, UnknownRecords
from analysis.exports.data.job import Job
from analysis.exports.data.records import kind_of
from analysis.exports.data.records.kind import Kind
from analysis.exports.data.schema import Record

ENDING = "jsonl"


def write(job: Job) -> None:
    """A file a kind."""
    for kind in job.kinds:
        job.records_part(f"{kind.name}.{ENDING}", kind, write_file)


def write_file(path: Path, kind: Kind, records: Iterable[Record]) -> int:
    """How many records were written."""
    written = 0
    with path.open("w", encoding="utf-8", newline="\n") as file:
        for record in records:
            file.write(
                json.dumps({"schema": kind.schema, **record}, ensure_ascii=False, separators=(",", ":"))
            )
            file.write("\n")
            written += 1
    return written


def read_jsonl(path: Path) -> Iterator[Record]:
    """The records of a file, a line at a time, without their schema. Raises ExportRefused for what is no record."""
    with path.open(encoding="utf-8", newline="\n") as file:
        for number, line in enumerate(file, start=1):
            try:
                record = json.loads(line)
                kind_of(record.pop("schema"))
            except (ValueError, KeyError, AttributeError, TypeError, UnknownRecords) as error:
                why = str(error) if isinstance(error, UnknownRecords) else "it is no record with a schema."
                raise ExportRefused(f"{path}, line {number}: {why} Export it again.") from None
            yield record
