"""Records as Parquet, for pandas, Polars, DuckDB and Spark; lists of rows stay lists of rows.

Times are microseconds in UTC; JSON is text. A file says its schema in the metadata ``schema``.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from analysis.errors import ExportRefused
from analysis.exports.data.job import Job
from analysis.exports.data.records import kind_of
from analysis.exports.data.records.kind import Kind
from analysis.exports.data.schema import Field, Record, Type, moment
from analysis.exports.data.source import batches

ENDING = "parquet"
METADATA = b"schema"
#: Records of a row group, which is what is in memory at once.
GROUP = 5_000


def write(job: Job) -> None:
    """A file a kind. Raises ExportRefused where pyarrow is not installed."""
    library()
    for kind in job.kinds:
        job.records_part(f"{kind.name}.{ENDING}", kind, write_file)


def library() -> Any:
    """pyarrow with its Parquet, which is large and which only this format needs."""
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as error:
        raise ExportRefused(
            f"Parquet needs the package pyarrow, which cannot be imported ({error}); install what requirements.txt "
            "names, or export as jsonl or csv."
        ) from None
    return pyarrow


def write_file(path: Path, kind: Kind, records: Iterable[Record]) -> int:
    """How many records were written."""
    pyarrow, number = library(), 0
    schema = pyarrow.schema(_columns(kind.fields), metadata={METADATA: kind.schema.encode()})
    with pyarrow.parquet.ParquetWriter(path, schema, compression="zstd") as writer:
        for batch in batches(iter(records), GROUP):
            rows = [_told(record, kind.fields) for record in batch]
            writer.write_table(pyarrow.Table.from_pylist(rows, schema=schema))
            number += len(batch)
    return number


def read_parquet(path: Path) -> Iterator[Record]:
    """The records of a file, a row group at a time. Raises ExportRefused for a file that is none of ours."""
    pyarrow = library()
    try:
        file = pyarrow.parquet.ParquetFile(path)
    except pyarrow.ArrowInvalid as error:
        raise ExportRefused(f"{path} is no Parquet file ({error}). Export it again.") from None
    with file:
        kind = kind_of((file.schema_arrow.metadata or {}).get(METADATA, b"none").decode())
        for batch in file.iter_batches(GROUP):
            for row in batch.to_pylist():
                yield _read(row, kind.fields)


def _columns(fields: Iterable[Field]) -> list[Any]:
    pyarrow = library()
    return [pyarrow.field(field.name, _type(field), nullable=field.optional) for field in fields]


def _type(field: Field) -> Any:
    pyarrow = library()
    match field.type:
        case Type.WHOLE:
            return pyarrow.int64()
        case Type.NUMBER:
            return pyarrow.float64()
        case Type.FLAG:
            return pyarrow.bool_()
        case Type.TIME:
            return pyarrow.timestamp("us", tz="UTC")
        case Type.TEXTS:
            return pyarrow.list_(pyarrow.string())
        case Type.ROW:
            return pyarrow.struct(_columns(field.fields))
        case Type.ROWS:
            return pyarrow.list_(pyarrow.struct(_columns(field.fields)))
    return pyarrow.string()


def _told(record: Mapping[str, Any], fields: Iterable[Field]) -> dict[str, Any]:
    """A record as pyarrow takes it."""
    return {field.name: _value(record[field.name], field) for field in fields}


def _value(value: Any, field: Field) -> Any:
    if value is None:
        return None
    match field.type:
        case Type.TIME:
            return datetime.fromisoformat(value)
        case Type.JSON:
            return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
        case Type.ROW:
            return _told(value, field.fields)
        case Type.ROWS:
            return [_told(row, field.fields) for row in value]
    return value


def _read(row: Mapping[str, Any], fields: Iterable[Field]) -> Record:
    return {field.name: _restored(row[field.name], field) for field in fields}


def _restored(value: Any, field: Field) -> Any:
    if value is None:
        return None
    match field.type:
        case Type.TIME:
            return moment(value.astimezone(UTC))
        case Type.JSON:
            return json.loads(value)
        case Type.ROW:
            return _read(value, field.fields)
        case Type.ROWS:
            return [_read(row, field.fields) for row in value]
    return value
