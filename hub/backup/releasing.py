"""Holding a hub, and releasing it into another life."""

from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from hub.clock import new_id
from hub.db import hold, migrate, views
from hub.db.connection import Connection
from hub.db.engine import Database
from hub.db.roles import identifier

BEGIN = """
INSERT INTO journal_timeline (id, start, position)
SELECT :id, p, p FROM (SELECT coalesce(max(position), 0) AS p FROM event) AS newest
"""
RELEASE = "INSERT INTO release (timeline_id, reason) VALUES (:id, :reason)"
SCHEMAS = "SELECT nspname FROM pg_namespace WHERE starts_with(nspname, 'for_') ORDER BY nspname"


async def release(database: Database, *, reason: str) -> UUID:
    """Begin another life of the database, and make the views from which it is read, at once.

    A hub that is not held stays as it is.
    """
    async with database.direct.begin() as connection:
        await connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({migrate.LOCK})")
        present: UUID | None = (await connection.execute(text(hold.RELEASED))).scalar()
        if present is not None:
            return present
        made = new_id()
        await connection.execute(text(BEGIN), {"id": made})
        await connection.execute(text(RELEASE), {"id": made, "reason": reason})
        await _views(connection, database)
        return made


async def _views(connection: AsyncConnection, database: Database) -> None:
    await views.rebuild(connection, reader=database.reader_role)


async def hold_back(connection: Connection) -> None:
    """Hold a hub whose data folder was put back by hand: nobody reads it until it is released. In a
    transaction; waits for those who read."""
    await connection.execute("SELECT pg_advisory_xact_lock($1)", migrate.LOCK)
    await connection.execute("DELETE FROM release")
    for row in await connection.fetch(SCHEMAS):
        await connection.execute(f"DROP SCHEMA {identifier(row['nspname'])} CASCADE")
