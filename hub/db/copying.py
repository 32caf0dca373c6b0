"""Writing many rows at once: `COPY` for a batch, one statement for a few."""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from sqlalchemy.dialects.postgresql.asyncpg import dialect

from hub.db.connection import Connection
from hub.models import Base

_DIALECT = dialect()

PIECE = 1000
"""Rows in one COPY. asyncpg never learns that the server died while its write buffer (512 kB) was
full, and would wait for ever; a piece of usual rows fits into it.
"""
PATIENCE = 120.0
"""Seconds after which a COPY is given up: of unusual rows a piece may not fit."""

FEW = 48
"""Up to so many rows an INSERT is quicker than setting up a COPY (measured: 0.2 against 0.4 ms)."""


async def insert(
    connection: Connection, table: str, columns: Sequence[str], rows: Sequence[tuple[Any, ...]]
) -> None:
    """Insert rows that are known to be new."""
    if not rows:
        return
    if len(rows) <= FEW:
        await connection.execute(_insert(table, tuple(columns)), *arrays(rows))
        return
    for start in range(0, len(rows), PIECE):
        piece = rows[start : start + PIECE]
        await connection.copy_records_to_table(
            table, columns=columns, records=piece, timeout=PATIENCE
        )


def arrays(rows: Sequence[tuple[Any, ...]]) -> list[list[Any]]:
    """Rows turned into one array a column, for `unnest`."""
    return [list(column) for column in zip(*rows, strict=True)]


@cache
def _insert(table: str, columns: tuple[str, ...]) -> str:
    names = ", ".join(f'"{column}"' for column in columns)
    return f'INSERT INTO "{table}" ({names}) SELECT * FROM {unnest(table, columns)}'


@cache
def unnest(table: str, columns: tuple[str, ...], first: int = 1) -> str:
    """`unnest($1::uuid[], …)` with the types of a table's columns."""
    types = _types(table)
    return f"unnest({', '.join(f'${n}::{types[c]}[]' for n, c in enumerate(columns, first))})"


@cache
def _types(table: str) -> Mapping[str, str]:
    columns = Base.metadata.tables[table].columns
    return {column.name: column.type.compile(dialect=_DIALECT) for column in columns}
