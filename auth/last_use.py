"""When clients last asked: noted in memory, and written beside the requests once in a while."""

import asyncio
from datetime import datetime
from typing import NoReturn
from uuid import UUID

import structlog

from hub import clock
from hub.db.engine import BROKEN, Database
from hub.errors import HubError

PAUSE_SECONDS = 15.0
MOST = 10_000
"""Clients that are noted at a time; of more it is written later."""
WRITE = """
UPDATE oauth_client AS c SET last_used_at = u.at
  FROM unnest($1::uuid[], $2::timestamptz[]) AS u (id, at)
 WHERE c.id = u.id AND coalesce(c.last_used_at < u.at - interval '1 minute', true)
"""
"""Once a minute for a client, whatever processes and requests there are."""

log: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger(__name__)


class Uses:
    """The clients that asked since it was last written."""

    def __init__(self, database: Database, *, pause_seconds: float = PAUSE_SECONDS) -> None:
        self._database = database
        self._pause_seconds = pause_seconds
        self._noted: dict[UUID, datetime] = {}

    def note(self, client: UUID) -> None:
        """A client asks now."""
        if len(self._noted) < MOST or client in self._noted:
            self._noted[client] = clock.now()

    async def run(self) -> NoReturn:
        """Write until cancelled; what can not be written is noted again."""
        while True:
            await asyncio.sleep(self._pause_seconds)
            noted, self._noted = self._noted, {}
            try:
                await self._write(noted)
            except (*BROKEN, HubError) as error:
                self._noted = noted | self._noted
                log.warning("last uses of clients could not be written", kind=type(error).__name__)

    async def _write(self, noted: dict[UUID, datetime]) -> None:
        """In the order of ids, so that processes seldom wait for each other in a circle."""
        if noted:
            order = sorted(noted)
            times = [noted[id_] for id_ in order]
            await self._database.retrying(lambda c: c.execute(WRITE, order, times))
