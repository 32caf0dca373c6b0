"""Bringing a database to the schema this code needs, with the purpose views made anew each time."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection as Migrating
from sqlalchemy.ext.asyncio import AsyncEngine

from hub.db import views
from hub.db.connection import Connection
from hub.db.roles import READER
from hub.errors import SchemaTooNew, SchemaTooOld

LOCK = 0x6875625F6D696772
"""Advisory lock that keeps two migrations apart ("hub_migr")."""


def _config(connection: Migrating | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    return config


def _scripts() -> ScriptDirectory:
    return ScriptDirectory.from_config(_config())


HEAD: str = _scripts().get_current_head() or ""
"""The newest revision this code knows."""


async def migrate(engine: AsyncEngine, *, reader: str = READER) -> None:
    """Apply what is missing and build the purpose views anew, all in one transaction.

    `reader` is the login role that may read the views; where it does not exist yet, migrate again
    once it does.

    Raises SchemaTooNew where a newer release was here before.
    """
    async with engine.begin() as connection:
        await connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({LOCK})")
        await connection.run_sync(_upgrade)
        await views.rebuild(connection, reader=reader)


def _upgrade(connection: Migrating) -> None:
    exists = connection.exec_driver_sql("SELECT to_regclass('public.alembic_version')").scalar()
    if exists:
        _refuse_newer(
            connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
        )
    command.upgrade(_config(connection), "head")


async def revision(connection: Connection) -> str | None:
    """The revision the database is at; None before the first migration."""
    if await connection.fetchval("SELECT to_regclass('public.alembic_version')") is None:
        return None
    return await connection.fetchval("SELECT version_num FROM public.alembic_version")


async def demand(connection: Connection) -> None:
    """Raise unless the database has exactly the schema of this code."""
    found = await revision(connection)
    _refuse_newer(found)
    if found != HEAD:
        raise SchemaTooOld(f"The database is at revision {found or 'none'}: run `hub migrate`.")


def _refuse_newer(found: str | None) -> None:
    if found and found not in {script.revision for script in _scripts().walk_revisions()}:
        raise SchemaTooNew(
            f"The database is at revision {found}, which a newer release made; this one knows "
            f"up to {HEAD}. Install the newer release, or restore a backup from before it."
        )
