"""The columns of a query as arrays, however many rows there are.

Django makes objects of every field of every row; of a million ratings that takes most of a report's time.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from django.db import connection, transaction
from django.db.models import QuerySet
from numpy.typing import NDArray

#: Rows that are Python's values together; bounds the memory that reading takes.
ROWS_AT_ONCE = 20_000
#: What PostgreSQL may take for one query's groups; with its usual 4 MB a million ratings are sorted on disk.
WORK_MEM = "64MB"
#: Identifiers as 32 hexadecimal digits each, whose order is the identifiers' own.
Ids = NDArray[np.bytes_]

_DTYPES = {"u": np.dtype("S32"), "i": np.dtype(np.int64), "f": np.dtype(np.float64)}
#: PostgreSQL's binary form of a value, of the same width in every row.
_SENT = {
    "u": "uuid_send({0})",
    "i": "int8send({0}::bigint)",
    "f": "float8send(coalesce({0}::double precision, 'NaN'))",
}


def columns_of(rows: QuerySet[Any, Any], kinds: str) -> list[NDArray[Any]]:
    """One query's columns, each of a kind: ``u`` UUIDs, ``i`` whole numbers, ``f`` numbers with null as NaN.

    The rows come in any order unless SQLite is asked for one.
    """
    sql, given = rows.query.sql_with_params()
    if connection.vendor == "postgresql":
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"SET LOCAL work_mem = '{WORK_MEM}'")
            return _packed(cursor, sql, given, kinds)
    with connection.cursor() as cursor:
        cursor.execute(sql, given)
        return _gathered(cursor, kinds)


def _packed(cursor: Any, sql: str, given: tuple[Any, ...], kinds: str) -> list[NDArray[Any]]:
    """PostgreSQL strings the values of each column together: one row with a value a column comes over."""
    names = [f"column_{place}" for place in range(len(kinds))]
    sent = ", ".join(
        f"string_agg({_SENT[kind].format(name)}, '')" for name, kind in zip(names, kinds, strict=True)
    )
    statement = f"SELECT {sent} FROM ({sql}) AS given ({', '.join(names)})"  # noqa: S608 - Django's SQL and ours
    cursor.execute(statement, given)
    return [
        _unpacked(bytes(value or b""), kind) for value, kind in zip(cursor.fetchone(), kinds, strict=True)
    ]


def _unpacked(value: bytes, kind: str) -> NDArray[Any]:
    if kind == "u":
        return np.frombuffer(value.hex().encode(), _DTYPES[kind])
    return np.frombuffer(value, _DTYPES[kind].newbyteorder(">")).astype(_DTYPES[kind])


def _gathered(cursor: Any, kinds: str) -> list[NDArray[Any]]:
    """SQLite keeps UUIDs as digits; its rows become arrays in pieces."""
    pieces: list[list[NDArray[Any]]] = [[np.empty(0, _DTYPES[kind])] for kind in kinds]
    for block in _blocks(cursor):
        for values, kind, held in zip(zip(*block, strict=True), kinds, pieces, strict=True):
            held.append(np.array(values, dtype=_DTYPES[kind]))
    return [np.concatenate(held) for held in pieces]


def _blocks(cursor: Any) -> Iterator[list[tuple[Any, ...]]]:
    while block := cursor.fetchmany(ROWS_AT_ONCE):
        yield block
