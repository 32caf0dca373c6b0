"""Where everything is joined: settings become an open database and what works on it."""

import contextlib
from collections.abc import AsyncGenerator
from dataclasses import dataclass

from hub.config import Settings
from hub.db import addresses, migrate, roles
from hub.db.embedded import Progress, silent
from hub.db.engine import Database


@dataclass(frozen=True, slots=True)
class App:
    """What commands and servers are given to work with."""

    settings: Settings
    database: Database


@contextlib.asynccontextmanager
async def opened(settings: Settings, *, progress: Progress = silent) -> AsyncGenerator[App]:
    """The hub with these settings and the schema it needs, until the block ends.

    An embedded database that is quite new gets its schema here. Any other has to be at this
    release's revision (SchemaTooOld, SchemaTooNew): to change it is a person's decision.
    """
    async with await Database.open(settings, progress=progress) as database:
        await _prepare(database)
        yield App(settings, database)


async def _prepare(database: Database) -> None:
    async with database.transaction() as connection:
        is_new = await migrate.revision(connection) is None
    if is_new and database.settings.database_url is None:
        await bring_up(database)
    async with database.transaction() as connection:
        await migrate.demand(connection)


async def bring_up(database: Database) -> None:
    """Bring the schema and the purpose views to this release's state."""
    reader = database.addresses.reader
    role = addresses.role(reader) if reader else roles.READER
    await migrate.migrate(database.direct, reader=role)
