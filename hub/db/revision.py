"""The revision of a database's schema, and whether it is the one that this code needs."""

from pathlib import Path

from hub.db.connection import Connection
from hub.errors import SchemaTooNew, SchemaTooOld

SCRIPTS = Path(__file__).parent / "migrations"
KNOWN = sorted(path.name.partition("_")[0] for path in (SCRIPTS / "versions").glob("[0-9]*.py"))
"""The revisions this code knows, by the names of their scripts: to read those takes a second."""
HEAD = KNOWN[-1]


async def current(connection: Connection) -> str | None:
    """The revision the database is at; None before the first migration."""
    if await connection.fetchval("SELECT to_regclass('public.alembic_version')") is None:
        return None
    return await connection.fetchval("SELECT version_num FROM public.alembic_version")


async def demand(connection: Connection) -> None:
    """Raise SchemaTooOld or SchemaTooNew unless the database is at this code's revision."""
    found = await current(connection)
    demand_known(found)
    if found != HEAD:
        raise SchemaTooOld(f"The database is at revision {found or 'none'}: run `hub migrate`.")


def demand_known(found: str | None) -> None:
    """Raise SchemaTooNew for a revision that this code does not know."""
    if found and found not in KNOWN:
        raise SchemaTooNew(
            f"The database is at revision {found}, which a newer release made; this one knows "
            f"up to {HEAD}. Install the newer release, or restore a backup from before it."
        )
