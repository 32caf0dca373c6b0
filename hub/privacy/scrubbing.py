"""Rewriting the tables that hold people, so that deleted rows are in no file of theirs any more.

PostgreSQL leaves deleted rows in their pages until it needs the room, and its log of changes (WAL)
holds them until its files are used again. An erasure leaves that to it: rewriting locks each table
for everybody, so it is done by command, in a maintenance window.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import asyncpg

from hub.db.connection import Connection
from hub.db.engine import Database
from hub.db.roles import identifier
from hub.errors import Conflict
from hub.jobs import SCHEMA
from hub.models import Base, Merge

PATIENCE = "30s"
"""How long it waits for those who use a table."""
ALSO = (
    *("decision_record", "event", "export_run", "identity_decision", "interaction"),
    *("privacy_archive", "privacy_step", "rejected_record", "source_item", "source_record"),
    "sync_listing",
)
"""Tables that follow no customer, and tell of people all the same."""
SAMPLES = "pg_catalog.pg_statistic"
"""What the planner knows of all these, with values in it. The owner of the database may rewrite it;
where the hub is not that, PostgreSQL leaves it as it is.
"""

SIZE = "SELECT pg_total_relation_size($1::regclass)"


@dataclass(frozen=True, slots=True)
class Scrubbed:
    """A table that was rewritten, and how many bytes it took before and after."""

    table: str
    before: int
    after: int


Told = Callable[[Scrubbed], None]


def tables() -> Sequence[str]:
    """The tables that hold people, as SQL names them."""
    models = [mapper.class_ for mapper in Base.registry.mappers]
    names = {m.__tablename__ for m in models if m.merge is not Merge.KEEP} | {*ALSO}
    queue = (SCHEMA.qualified.queue_table, SCHEMA.qualified.queue_table_log)
    return [*(f"public.{identifier(name)}" for name in sorted(names)), *queue, SAMPLES]


async def scrub(database: Database, *, told: Told) -> Sequence[Scrubbed]:
    """Rewrite these tables, one after the other; nobody reads or writes the one under way.

    Raises Conflict where somebody keeps using one; those before it are done.
    """
    done: list[Scrubbed] = []
    async with database.session("direct") as connection:
        await connection.execute(f"SET lock_timeout = '{PATIENCE}'")
        await connection.execute("SET statement_timeout = 0")
        for table in tables():
            done.append(await _rewritten(connection, table))
            told(done[-1])
    return done


async def _rewritten(connection: Connection, table: str) -> Scrubbed:
    before: int = await connection.fetchval(SIZE, table)
    try:
        await connection.execute(f"VACUUM (FULL, ANALYZE) {table}")
    except asyncpg.LockNotAvailableError as error:
        raise Conflict(
            f"Somebody keeps using the table {table}: stop `hub serve` and `hub worker`, and begin"
            " again."
        ) from error
    return Scrubbed(table, before, await connection.fetchval(SIZE, table))
