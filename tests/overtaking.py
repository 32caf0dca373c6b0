"""Two transactions interleaved on purpose: one waits for the locks of another, then goes on."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager

from hub.db.connection import Connection
from hub.db.engine import Database

PATIENCE = 60.0

WAITING = """
SELECT EXISTS (SELECT FROM pg_stat_activity
                WHERE datname = current_database() AND wait_event_type = 'Lock')
"""


@asynccontextmanager
async def overtaking(
    database: Database, late: Callable[[Connection], Awaitable[object]]
) -> AsyncGenerator[Connection]:
    """A transaction that commits at the end of the block, while `late` is under way.

    `late` starts then in a transaction of its own, does what it can and waits for a lock of the
    first; only when it waits the first commits.
    """
    async with asyncio.TaskGroup() as workers, database.transaction() as connection:
        yield connection
        workers.create_task(_alone(database, late))
        await _wait(database)


async def _alone(database: Database, late: Callable[[Connection], Awaitable[object]]) -> None:
    async with database.transaction() as connection:
        await late(connection)


async def _wait(database: Database) -> None:
    async with asyncio.timeout(PATIENCE), database.owner.acquire() as connection:
        while not await connection.fetchval(WAITING):
            await asyncio.sleep(0.01)
