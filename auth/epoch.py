"""How this process hears that somebody may no longer what they could: one connection that listens,
and answers what is asked about them."""

import asyncio
import contextlib
import time
from typing import TYPE_CHECKING, Any, NoReturn
from uuid import uuid4

import structlog

from hub.db import lasting
from hub.db.connection import Connection
from hub.db.engine import BROKEN, Database
from hub.errors import Retry

if TYPE_CHECKING:
    from asyncpg import Record

log: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger(__name__)

CHANNEL = "hub_access"
"""Told by the tables themselves: whatever changes what a token may."""
HEARTBEAT_SECONDS = 0.4
ANSWER_SECONDS = 5.0
DEAF_SECONDS = 60.0
"""How long a line on which nothing arrives is left, before another is tried."""
TELL = "SELECT pg_notify($1, $2)"
KEPT = "SET plan_cache_mode = force_generic_plan"
"""One plan for all that is asked here: to make it takes longer than to find the rows."""


class Epoch:
    """`number` grows with every change of anybody's rights: what was known before is looked up
    again. `heard_at` (monotonic) is a moment before which no change can have been missed.

    `run` keeps them so.
    """

    def __init__(self, database: Database) -> None:
        self.number = 0
        self.heard_at = float("-inf")
        self._database = database
        self._line: Connection | None = None
        self._asking = asyncio.Lock()
        self._changed = asyncio.Event()
        self._probe = ""
        self._proven = asyncio.Event()

    async def run(self) -> NoReturn:
        """Listen until cancelled, whatever becomes of the connection."""
        await lasting.keep(self._database, self._listen, job="access")

    async def beyond(self, number: int, *, seconds: float) -> int:
        """Wait for a change after this one, or so long; return the newest one's number."""
        if self.number <= number:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._changed.wait(), seconds)
        return self.number

    async def ask(self, query: str, *arguments: Any) -> "list[Record]":
        """Rows of one statement, read on the line that listens: no transaction, no pool. Where
        there is none it is like everything else. Raises DatabaseUnreachable."""
        if (line := self._line) is not None:
            with contextlib.suppress(*BROKEN):
                return await self._on(line, query, *arguments)
        async with self._database.transaction() as connection:
            return await connection.fetch(query, *arguments)

    async def _on(self, line: Connection, query: str, *arguments: Any) -> "list[Record]":
        async with self._asking:
            asked = time.monotonic()
            rows = await line.fetch(query, *arguments, timeout=ANSWER_SECONDS)
        if line is self._line:
            self.heard_at = asked
        return rows

    async def _prove(self, lost: asyncio.Event) -> None:
        """See that what others tell arrives here: a transaction pooler would swallow it."""
        self._probe, self._proven = uuid4().hex, asyncio.Event()
        await self._database.retrying(lambda c: c.execute(TELL, CHANNEL, self._probe))
        try:
            await asyncio.wait_for(self._proven.wait(), ANSWER_SECONDS)
        except TimeoutError as error:
            log.warning("changes of rights can not be heard of: set HUB_DATABASE_DIRECT_URL")
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(lost.wait(), DEAF_SECONDS)
            raise Retry("Nothing that is told arrives here.") from error

    async def _listen(self, connection: Connection) -> NoReturn:
        """What nobody heard counts as one change, and so does that nobody listens any more."""
        lost = asyncio.Event()
        connection.add_termination_listener(lambda _: lost.set())
        await connection.execute(KEPT)
        await connection.add_listener(CHANNEL, self._hear)
        await self._prove(lost)
        self._line = connection
        self.advance()
        try:
            while True:
                await self._on(connection, "SELECT 1")
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(lost.wait(), HEARTBEAT_SECONDS)
        finally:
            self._line = None
            self.advance()

    def _hear(self, _connection: object, _pid: int, _channel: str, payload: object) -> None:
        """The tables say no more than that something changed; the rest are somebody's probes."""
        if not payload:
            self.advance()
        elif payload == self._probe:
            self._proven.set()

    def advance(self) -> None:
        """Somebody's rights changed."""
        self.number += 1
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()
