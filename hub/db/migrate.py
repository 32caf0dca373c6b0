"""Bringing a database to the schema this code needs, with the purpose views made anew each time."""

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection as Migrating
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from hub.db import hold, revision, views
from hub.db.roles import READER

LOCK = 0x6875625F6D696772
"""Advisory lock that keeps two migrations apart ("hub_migr")."""


def _config(connection: Migrating | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(revision.SCRIPTS))
    config.attributes["connection"] = connection
    return config


async def migrate(engine: AsyncEngine, *, reader: str = READER) -> None:
    """Apply what is missing and build the purpose views anew, all in one transaction. A hub that is
    held gets no views.

    `reader` is the login role that may read the views; where it does not exist yet, migrate again
    once it does.

    Raises SchemaTooNew where a newer release was here before.
    """
    async with engine.begin() as connection:
        await connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({LOCK})")
        await connection.run_sync(_upgrade)
        if await _is_released(connection):
            await views.rebuild(connection, reader=reader)
    async with engine.begin() as connection:
        await views.clear(connection)


async def _is_released(connection: AsyncConnection) -> bool:
    """Whether there may be views: while the hub is held, nobody reads anything."""
    return (await connection.exec_driver_sql(hold.RELEASED)).first() is not None


def _upgrade(connection: Migrating) -> None:
    exists = connection.exec_driver_sql("SELECT to_regclass('public.alembic_version')").scalar()
    if exists:
        found = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
        revision.demand_known(found)
    command.upgrade(_config(connection), "head")
