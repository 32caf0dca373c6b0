"""Where everything is joined: settings become an open database and what works on it."""

import contextlib
from collections.abc import AsyncGenerator
from dataclasses import dataclass

from hub.config import Settings
from hub.db import hold, revision
from hub.db.embedded import Progress, silent
from hub.db.engine import Database


@dataclass(frozen=True, slots=True)
class App:
    """What commands and servers are given to work with."""

    settings: Settings
    database: Database


@contextlib.asynccontextmanager
async def opened(
    settings: Settings, *, progress: Progress = silent, even_held: bool = False
) -> AsyncGenerator[App]:
    """The hub with these settings and the schema it needs, until the block ends.

    An embedded database that is quite new gets its schema here. Any other has to be at this
    release's revision (SchemaTooOld, SchemaTooNew): to change it is a person's decision. One that
    was restored is held (Held), but for whoever knows what that means (`even_held`).
    """
    async with await Database.open(settings, progress=progress) as database:
        await _prepare(database, even_held=even_held)
        yield App(settings, database)


async def _prepare(database: Database, *, even_held: bool) -> None:
    async with database.transaction() as connection:
        is_new = await revision.current(connection) is None
    if is_new and database.settings.database_url is None:
        await bring_up(database)
    async with database.transaction() as connection:
        await revision.demand(connection)
        if not even_held:
            await hold.demand(connection)


async def bring_up(database: Database) -> None:
    """Bring the schema and the purpose views to this release's state."""
    from hub.db import migrate  # which is slow to import, and rarely wanted

    await migrate.migrate(database.direct, reader=database.reader_role)
