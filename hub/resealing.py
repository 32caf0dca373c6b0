"""Another key for what is sealed: every sealed value anew with the first key, and what still needs
the others.

Nothing is locked and no place is kept: a value tells by which key it was sealed, and one that
changed meanwhile is left to whoever changed it. So it may be stopped anywhere and run beside all
else; what it did not come to, the next run does.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from hub.crypto import HEAD, MARK, VERSION, Keyring, Sealed
from hub.db.connection import Connection
from hub.db.engine import Database
from hub.errors import StopJob
from hub.models import Base

if TYPE_CHECKING:
    from asyncpg import Record

BATCH = 20
"""Rows read and written in one transaction; a part of an archive may have a megabyte."""

READ = """
SELECT {keys}, "{column}" AS sealed FROM "{table}"
 WHERE substr("{column}", 1, {head}) <> $1 {after} ORDER BY {keys} LIMIT {batch}
"""
WRITE = 'UPDATE "{table}" SET "{column}" = $1 WHERE "{column}" = $2 AND {same}'
SEALED_LEFT = """
SELECT substr("{column}", 2, {mark}) AS mark, count(*) AS count, NULL::timestamptz AS until
  FROM "{table}" WHERE substr("{column}", 1, {head}) <> $1 GROUP BY 1
"""
MARKS = """
SELECT DISTINCT substr("{column}", 2, {mark}) AS mark FROM "{table}" WHERE "{column}" IS NOT NULL
"""
HASHED_LEFT = """
SELECT substr("{column}", 1, {mark}) AS mark, count(*) AS count, max({until}) AS until
  FROM "{table}"
 WHERE substr("{column}", 1, {mark}) <> $1 AND coalesce({until} > now(), true) GROUP BY 1
"""


@dataclass(frozen=True, slots=True)
class Place:
    """A column that depends on HUB_SECRET_KEY: `words` is what its values are sealed for, or, of
    hashes, the column that says how long a row counts."""

    table: str
    column: str
    keys: tuple[str, ...]
    words: str | None

    def of(self, row: "Record") -> str:
        """What a row's value is sealed for."""
        said = {key: _word(row[key]) for key in self.keys}
        return (self.words or "").format(**said)


@dataclass(slots=True)
class Resealed:
    """How many values were sealed anew; `damaged` are places whose value does not open."""

    count: int = 0
    damaged: list[str] = field(default_factory=list[str])


@dataclass(frozen=True, slots=True)
class Need:
    """Values that need another key than the first: which of ours (None: one that we do not have),
    how many there are, and until when, if time alone ends it."""

    table: str
    column: str
    key: int | None
    count: int
    until: datetime | None


def sealed_places() -> Iterator[Place]:
    """Every column that holds sealed values."""
    return _places("sealed")


def hashed_places() -> Iterator[Place]:
    """Every column that holds hashes which the key is part of."""
    return _places("hashed")


def _places(kind: str) -> Iterator[Place]:
    for table in Base.metadata.sorted_tables:
        keys = tuple(str(column.name) for column in table.primary_key.columns)
        for column in table.columns:
            if kind in column.info:
                yield Place(str(table.name), str(column.name), keys, column.info[kind])


async def reseal(
    database: Database, keyring: Keyring, *, told: Callable[[int], None] = lambda _: None
) -> Resealed:
    """Seal everything with the first key that another of ours has sealed."""
    done = Resealed()
    for place in sealed_places():
        last: tuple[Any, ...] | None = None
        while True:
            rows = await _read(database, keyring, place, last)
            await _write(database, keyring, place, rows, done)
            told(done.count)
            if len(rows) < BATCH:
                break
            last = tuple(rows[-1][key] for key in place.keys)
    return done


async def needs(connection: Connection, keyring: Keyring) -> Sequence[Need]:
    """What would be lost with the keys behind the first."""
    found: list[Need] = []
    for place in sealed_places():
        sql = SEALED_LEFT.format(column=place.column, table=place.table, mark=MARK, head=HEAD)
        rows = await connection.fetch(sql, VERSION + keyring.first)
        found += [_need(place, row, keyring) for row in rows]
    for place in hashed_places():
        until = f'"{place.words}"' if place.words else "NULL::timestamptz"
        sql = HASHED_LEFT.format(column=place.column, table=place.table, mark=MARK, until=until)
        rows = await connection.fetch(sql, keyring.first)
        found += [_need(place, row, keyring) for row in rows]
    return found


async def marks(connection: Connection) -> Sequence[str]:
    """The keys, by their marks, that are needed to open all that is sealed."""
    found: set[bytes] = set()
    for place in sealed_places():
        sql = MARKS.format(column=place.column, table=place.table, mark=MARK)
        found |= {row["mark"] for row in await connection.fetch(sql)}
    return [mark.hex() for mark in sorted(found)]


async def _read(
    database: Database, keyring: Keyring, place: Place, last: tuple[Any, ...] | None
) -> "Sequence[Record]":
    """The next rows that the first key did not seal."""
    keys = _quoted(place.keys)
    after = ""
    if last is not None:
        after = f"AND ({keys}) > ({', '.join(f'${n}' for n in range(2, 2 + len(last)))})"
    sql = READ.format(
        keys=keys, column=place.column, table=place.table, head=HEAD, after=after, batch=BATCH
    )
    words = (VERSION + keyring.first, *(last or ()))
    return await database.retrying(lambda c: c.fetch(sql, *words))


async def _write(
    database: Database, keyring: Keyring, place: Place, rows: "Sequence[Record]", done: Resealed
) -> None:
    pairs: list[tuple[Any, ...]] = []
    for row in rows:
        before = Sealed(row["sealed"])
        if not keyring.has_key_of(before):
            continue  # `needs` tells of it
        try:
            secret = keyring.open(before, place=place.of(row))
        except StopJob:
            done.damaged.append(place.of(row))
            continue
        fresh = keyring.seal(secret, place=place.of(row)).data
        pairs.append((fresh, before.data, *(row[key] for key in place.keys)))
    if pairs:
        done.count += await database.retrying(lambda c: _written(c, place, pairs))


async def _written(connection: Connection, place: Place, pairs: Sequence[tuple[Any, ...]]) -> int:
    same = " AND ".join(f'"{key}" = ${n}' for n, key in enumerate(place.keys, 3))
    sql = WRITE.format(table=place.table, column=place.column, same=same)
    done = [await connection.execute(sql, *pair) for pair in pairs]
    return done.count("UPDATE 1")


def _need(place: Place, row: "Record", keyring: Keyring) -> Need:
    key = keyring.place_of(row["mark"])
    return Need(place.table, place.column, key, row["count"], row["until"])


def _quoted(names: Sequence[str]) -> str:
    return ", ".join(f'"{name}"' for name in names)


def _word(value: object) -> str:
    return value.hex() if isinstance(value, bytes) else str(value)
