"""Work for as long as the process runs, on a connection that is made anew when it breaks."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from typing import NoReturn

import structlog

from hub.db.connection import Connection
from hub.db.engine import BROKEN, Database
from hub.errors import HubError, Retry

log: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger(__name__)

STEADY_SECONDS = 10.0
"""A connection that held so long has nothing to do with the trouble before it."""
FIRST_PAUSE, LONGEST_PAUSE = 0.1, 2.0
TROUBLE_SECONDS = 5.0
"""Before another attempt, after what time alone does not mend: a full disk, a refused login."""
VIGILANCE = """
SET tcp_keepalives_idle = 5; SET tcp_keepalives_interval = 2; SET tcp_keepalives_count = 3
"""
"""When our machine vanishes, the server ends the session, and frees its locks, in seconds."""


async def keep(
    database: Database, work: Callable[[Connection], Awaitable[NoReturn]], *, job: str
) -> NoReturn:
    """Do endless work past any pooler; after a fault start over, as often as it takes."""
    pause = 0.0
    while True:
        began = time.monotonic()
        try:
            if pause:
                await database.retrying(_ask)
            await _connected(database, work)
        except (*BROKEN, Retry) as error:
            if time.monotonic() - began > STEADY_SECONDS:
                pause = 0.0
            if not pause:
                log.warning("database connection lost, trying again", job=job, kind=_kind(error))
            pause = min(LONGEST_PAUSE, 2 * pause or FIRST_PAUSE)
        except HubError as error:
            log.error("work stands still, trying again", job=job, code=error.code, exc_info=error)
            pause = TROUBLE_SECONDS
        await asyncio.sleep(pause * _jitter())


async def _ask(connection: Connection) -> None:
    """Whether the server answers; the asking starts an embedded one that died."""
    await connection.execute("SELECT 1")


async def _connected(database: Database, work: Callable[[Connection], Awaitable[NoReturn]]) -> None:
    async with database.session("direct") as connection:
        try:
            await connection.execute(VIGILANCE)
            await work(connection)
        finally:
            connection.terminate()  # a polite end would wait for a server that may not answer


def _kind(error: BaseException) -> str:
    fault = error.__cause__ if isinstance(error, Retry) else error
    return type(fault or error).__name__


def _jitter() -> float:
    return random.uniform(0.5, 1.5)  # noqa: S311 - spreads attempts, guards nothing
