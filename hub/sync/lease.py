"""A run is for one process at a time: its lease is kept ahead, and all is written under its fence.

No session holds a lock. A run whose lease is over is taken by another process, which raises the
fence; the one before, should it still live, writes nothing more.
"""

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from datetime import timedelta

import msgspec
import structlog

from hub.db.connection import Connection
from hub.db.engine import BROKEN, Database
from hub.errors import Fenced, Retry
from hub.sync.run import Claimed, Counts

log: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger(__name__)

LEASE = timedelta(seconds=15)
BEAT_SECONDS = 4.0


HOLD = """
SELECT FROM sync_run r JOIN integration i ON i.id = r.integration_id
 WHERE r.id = $1 AND r.fence = $2 AND r.state = 'running' AND i.state = 'active'
   FOR NO KEY UPDATE OF r
"""
NOTE = """
UPDATE sync_run SET counts = $3, stream = $4, leased_until = clock_timestamp() + $5
 WHERE id = $1 AND fence = $2
"""
BEAT = """
UPDATE sync_run SET leased_until = clock_timestamp() + $3
 WHERE id = $1 AND fence = $2 AND state = 'running'
RETURNING true
"""
RELEASE = """
UPDATE sync_run SET leased_until = clock_timestamp()
 WHERE id = $1 AND fence = $2 AND state = 'running'
"""


async def hold(connection: Connection, run: Claimed) -> None:
    """Begin a transaction of the run: nobody takes it over before the transaction ends.

    Raises Fenced when somebody did, or the integration is no longer active.
    """
    if await connection.fetchrow(HOLD, run.id, run.fence) is None:
        raise Fenced(f"{run.integration.name} was paused, or another process goes on with it.")


async def note(connection: Connection, run: Claimed, stream: str, counts: Counts) -> None:
    """Say how far the run is, at the end of a transaction that `hold` began."""
    encoded = msgspec.json.encode(counts)
    await connection.execute(NOTE, run.id, run.fence, encoded, stream, LEASE)


@contextlib.asynccontextmanager
async def kept(database: Database, run: Claimed) -> AsyncGenerator[None]:
    """Keep the lease ahead for as long as the block lasts."""
    beating = asyncio.create_task(_beat(database, run))
    try:
        yield
    finally:
        beating.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await beating


async def _beat(database: Database, run: Claimed) -> None:
    while True:
        await asyncio.sleep(BEAT_SECONDS)
        try:
            if not await database.owner.fetchval(BEAT, run.id, run.fence, LEASE):
                return
        except (*BROKEN, Retry):
            log.warning("a lease was not renewed", run_id=run.id)


async def release(connection: Connection, run: Claimed) -> None:
    """Leave the run where it is, for another process to go on with at once."""
    await connection.execute(RELEASE, run.id, run.fence)
