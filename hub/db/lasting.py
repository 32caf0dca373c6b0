"""Work for as long as the process runs, on a connection that is made anew when it breaks."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from typing import NoReturn

import structlog

from hub.db.connection import Connection
from hub.db.engine import BROKEN, Database
from hub.errors import Retry

log: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger(__name__)

STEADY_SECONDS = 10.0
"""A connection that held so long has nothing to do with the trouble before it."""
LONGEST_PAUSE = 2.0
VIGILANCE = """
SET tcp_keepalives_idle = 5; SET tcp_keepalives_interval = 2; SET tcp_keepalives_count = 3
"""
"""When our machine vanishes, the server ends the session, and frees its locks, in seconds."""


async def keep(
    database: Database, work: Callable[[Connection], Awaitable[NoReturn]], *, job: str
) -> NoReturn:
    """Do endless work past any pooler; after a fault start over, as often as it takes."""
    misses = 0
    while True:
        began = time.monotonic()
        try:
            if misses:
                await database.retrying(_ask)
            await _connected(database, work)
        except (*BROKEN, Retry) as error:
            if time.monotonic() - began > STEADY_SECONDS:
                misses = 0
            if misses == 0:
                log.warning("database connection lost, trying again", job=job, kind=_kind(error))
            misses += 1
            await asyncio.sleep(min(LONGEST_PAUSE, 0.05 * 2**misses) * _jitter())


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
