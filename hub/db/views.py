"""The purpose views: one schema per purpose, all that a reader may read.

`for_analytics.customer` holds the customers that may be used for analytics, with the columns that
analytics may return; every other table is joined to an allowed customer. The views are made from
the models and the rows of `purpose`, so that nobody writes one by hand, and a forgotten condition
in a query returns nobody who did not agree.

Under consent `customer` lacks what was copied to it of trade, behaviour and profile: people are
chosen by those from `customer_profiled`, which holds who agreed to `profiling` as well.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Any, TypeVar
from uuid import uuid4

import asyncpg
import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from hub.db.connection import Connection
from hub.db.engine import BROKEN, Database
from hub.db.roles import READER, identifier
from hub.db.rules import PROFILED, PROFILING, Use
from hub.db.schemas import digest, grants, statements, visible
from hub.errors import HubError, Retry

__all__ = [
    "CHANNEL",
    "PROFILED",
    "PROFILING",
    "Use",
    "changing",
    "clear",
    "digest",
    "rebuild",
    "remake",
    "sweep",
    "uses",
    "visible",
]

T = TypeVar("T")

log: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger(__name__)

STALE = (
    asyncpg.UndefinedTableError,
    asyncpg.UndefinedColumnError,
    asyncpg.InvalidSchemaNameError,
    asyncpg.InvalidCachedStatementError,
    asyncpg.InsufficientPrivilegeError,
    asyncpg.InternalServerError,
)
"""What a statement fails with that was made before the views were made anew.

The last: statistics that are dropped while a statement is planned are missed by PostgreSQL itself.
"""

LOCK = 0x6875625F76696577
"""Advisory lock that keeps two rebuilds apart ("hub_view")."""
CHANNEL = "hub_purposes"
"""Where it is told that purposes changed."""
LOCK_SECONDS = 3
"""How long a rebuild waits for what others hold, such as a vacuum of customers. No reader waits
meanwhile: nothing is taken from them but a name."""
SWEEP_MILLISECONDS = 200
"""The same for a view that is gone, and that some statement still reads."""
ATTEMPTS = 10


async def changing(
    database: Database, work: Callable[[Connection], Awaitable[T]], *, only: str
) -> T:
    """Change a purpose and make its views anew in one transaction, and tell every process.

    The work may run several times. Raises Retry when others keep holding what it needs.
    """

    async def done(connection: Connection) -> T:
        await connection.execute(f"SET LOCAL lock_timeout = '{LOCK_SECONDS}s'")
        result = await work(connection)
        await remake(connection, only=only, reader=database.reader_role)
        await connection.execute(f"NOTIFY {CHANNEL}")
        return result

    result = await _patiently(lambda: database.retrying(done))
    try:
        async with database.transaction() as connection:
            await sweep(connection)
    except (*BROKEN, HubError) as error:  # the change is done, and the next one drops them
        log.warning("views put aside were not dropped", kind=type(error).__name__)
    return result


async def _patiently(work: Callable[[], Awaitable[T]]) -> T:
    for attempt in range(1, ATTEMPTS + 1):
        try:
            return await work()
        except asyncpg.LockNotAvailableError as error:
            if attempt == ATTEMPTS:
                raise Retry("The views are held by others: try again later.") from error
            await asyncio.sleep(random.uniform(0.1, 0.3) * attempt)  # noqa: S311 - spreads attempts
    raise AssertionError


async def rebuild(
    connection: AsyncConnection, *, only: str | None = None, reader: str = READER
) -> None:
    """Make the views of all purposes, or of one, anew; the caller's transaction commits them."""
    await remake(await _driven(connection), only=only, reader=reader)


async def clear(connection: AsyncConnection) -> None:
    """Drop what rebuilding put aside, as far as nobody reads it."""
    await sweep(await _driven(connection))


async def _driven(connection: AsyncConnection) -> Connection:
    """The driver's own connection, in the same transaction."""
    await connection.exec_driver_sql("SELECT")  # which begins it
    raw = await connection.get_raw_connection()
    assert raw.driver_connection is not None  # noqa: S101 - it has just answered
    return raw.driver_connection


async def remake(connection: Connection, *, only: str | None = None, reader: str = READER) -> None:
    """The same on the driver's own connection.

    The schemas that there were are put aside and lose their readers, so that nobody waits for
    anybody; `sweep` drops them. A reader that does not exist yet is granted nothing. The statistics
    on customers went with the old schemas, so they are taken again.
    """
    await connection.execute("SELECT pg_advisory_xact_lock($1)", LOCK)
    exists = await connection.fetchval("SELECT true FROM pg_roles WHERE rolname = $1", reader)
    for use in await uses(connection):
        if only in {None, use.key} or (only == PROFILING and use.is_apart):
            made = [*statements(use), *(grants(use, reader) if exists else ())]
            made.append(f"COMMENT ON SCHEMA \"{use.schema}\" IS '{digest(use)}'")
            await _put_aside(connection, use.key)
            await connection.execute(";\n".join(made))
    for row in await connection.fetch(RETIRED):
        await _put_aside(connection, row["key"])
    await connection.execute(ESTIMATE)


ESTIMATE = "SET LOCAL default_statistics_target = 25; ANALYZE public.customer (status)"
"""One column is enough for all statistics on the rules; with the others it takes ten seconds where
there are 200,000 customers (measured; so it takes one).
"""
GRANTEES = """
SELECT DISTINCT CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(g.rolname) END
  FROM pg_namespace n CROSS JOIN LATERAL aclexplode(n.nspacl) a
  LEFT JOIN pg_roles g ON g.oid = a.grantee
 WHERE n.nspname = $1 AND a.grantee <> n.nspowner
"""


async def _put_aside(connection: Connection, key: str) -> None:
    """Take a purpose's schema from whoever reads it; what is read at this moment goes on."""
    schema = f"for_{key}"
    if await connection.fetchval("SELECT to_regnamespace(quote_ident($1)) IS NULL", schema):
        return
    gone = identifier(f"gone_{key}_{uuid4().hex[:8]}")
    for row in await connection.fetch(GRANTEES, schema):
        for what in ("SCHEMA", "ALL TABLES IN SCHEMA", "ALL FUNCTIONS IN SCHEMA"):
            await connection.execute(f"REVOKE ALL ON {what} {identifier(schema)} FROM {row[0]}")
    await connection.execute(f"ALTER SCHEMA {identifier(schema)} RENAME TO {gone}")


async def sweep(connection: Connection) -> Sequence[str]:
    """Drop what was put aside, in the caller's transaction; returns what somebody still reads."""
    left: list[str] = []
    for row in await connection.fetch(GONE):
        try:
            async with connection.transaction():
                await connection.execute(f"SET LOCAL lock_timeout = '{SWEEP_MILLISECONDS}ms'")
                name = identifier(row["nspname"])
                await connection.execute(f"DROP SCHEMA IF EXISTS {name} CASCADE")
        except asyncpg.LockNotAvailableError:
            left.append(row["nspname"])  # the next change drops it
    return left


GONE = """
SELECT nspname FROM pg_namespace
 WHERE starts_with(nspname, 'gone_') AND pg_get_userbyid(nspowner) = current_user
"""
PURPOSES = """
SELECT key, basis, bit, may_return, contact_types
  FROM public.purpose WHERE retired_at IS NULL ORDER BY bit
"""
RETIRED = "SELECT key FROM public.purpose WHERE retired_at IS NOT NULL"


async def uses(connection: Connection) -> Sequence[Use]:
    """The purposes in use."""
    found = [_use(row) for row in await connection.fetch(PURPOSES)]
    profiling = next((use for use in found if use.key == PROFILING), None)
    return [replace(use, profiling=profiling) if use.is_apart else use for use in found]


def _use(row: Any) -> Use:
    kinds = row["contact_types"]
    return Use(
        row["key"],
        row["basis"],
        row["bit"],
        frozenset(row["may_return"]),
        None if kinds is None else tuple(kinds),
    )
