"""Clears away codes, tokens, grants and assertions that have long expired."""

import asyncio
from typing import NoReturn

import structlog

from hub.db.connection import Connection
from hub.db.engine import BROKEN, Database
from hub.errors import HubError

PAUSE_SECONDS = 3600.0
FIRST_SECONDS = 60.0
"""A process that does not live for an hour sweeps too."""
MOST = 10_000
"""Rows of a table that go at a time: nobody waits for a longer statement."""
LOCK = 0x6875625F73776565
"""Advisory lock, so that of several processes one sweeps ("hub_swee")."""
EXPIRED = {
    "client_assertion": "expires_at < now()",
    "revoked_token": "expires_at < now() - interval '1 hour'",
    "oauth_code": "expires_at < now() - interval '1 day'",
    "oauth_token": "expires_at < now() - interval '1 day'",
    "oauth_grant": "expires_at < now() - interval '1 day'",
}
"""What of each table is of no more use; a used code or token still tells a thief for a day."""
SWEEP = "DELETE FROM {0} WHERE ctid = ANY (ARRAY(SELECT ctid FROM {0} WHERE {1} LIMIT {2}))"

log: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger(__name__)


async def run(database: Database, *, pause_seconds: float = PAUSE_SECONDS) -> NoReturn:
    """Sweep soon after the start, and then now and then, until cancelled."""
    pause = min(pause_seconds, FIRST_SECONDS)
    while True:
        await asyncio.sleep(pause)
        pause = pause_seconds
        try:
            while await database.retrying(sweep) >= MOST:
                pass
        except (*BROKEN, HubError) as error:
            log.warning(
                "expired tokens could not be cleared away, trying again later",
                kind=type(error).__name__,
            )


async def sweep(connection: Connection) -> int:
    """Clear away some of what has expired: how many rows of one table at most. In a transaction.

    Nothing is done while another process does it.
    """
    if not await connection.fetchval("SELECT pg_try_advisory_xact_lock($1)", LOCK):
        return 0
    return max([await _swept(connection, table, rule) for table, rule in EXPIRED.items()])


async def _swept(connection: Connection, table: str, rule: str) -> int:
    """Asks first: deleting tells running processes that access changed, even where nothing did."""
    if not await connection.fetchval(f"SELECT EXISTS (SELECT FROM {table} WHERE {rule})"):
        return 0
    done = await connection.execute(SWEEP.format(table, rule, MOST))
    return int(done.removeprefix("DELETE "))
