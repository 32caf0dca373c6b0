"""Until when a vendor is left alone, told meanwhile: to who watches, and in the run's row."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from datetime import UTC, datetime, timedelta

import structlog

from hub import clock
from hub.db.engine import BROKEN, Database
from hub.errors import Retry
from hub.sync.passing import Tally
from hub.sync.reader import Asker
from hub.sync.run import Claimed

log: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger(__name__)

LOOK_SECONDS = 1.0
LEAST = timedelta(seconds=1)
"""Shorter waits are the rule where calls are limited, and nothing to tell of."""
SAY = """
UPDATE sync_run SET code = $3, message = $4 WHERE id = $1 AND fence = $2 AND state = 'running'
"""


@contextlib.asynccontextmanager
async def told(
    database: Database, run: Claimed, asker: Asker, tally: Tally
) -> AsyncGenerator[None]:
    """Tell of waits for as long as the block lasts."""
    looking = asyncio.create_task(_look(database, run, asker, tally))
    try:
        yield
    finally:
        looking.cancel()
        await asyncio.gather(looking, return_exceptions=True)


async def _look(database: Database, run: Claimed, asker: Asker, tally: Tally) -> None:
    while True:
        await asyncio.sleep(LOOK_SECONDS)
        until = asker.waits_until
        if until is not None and until < clock.now() + LEAST:
            until = None
        if until != tally.waits_until:
            tally.wait(until)
            try:
                await database.owner.execute(SAY, run.id, run.fence, *_words(until))
            except (*BROKEN, Retry):
                log.warning("a wait was not told", run_id=run.id)


def _words(until: datetime | None) -> tuple[str, str]:
    if until is None:
        return "", ""
    at = until.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    return (
        "RATE_LIMITED",
        f"It waits until {at}: the vendor asked to, or limits are used up.",
    )
