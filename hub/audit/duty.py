"""What goes on beside a process's chain: drafts are put in it, chains are signed, and people looked
up in them."""

import asyncio
import contextlib
import time
from collections.abc import AsyncGenerator
from typing import NoReturn

import structlog

from hub.audit import checkpoints, drafts, mentions
from hub.audit.writer import Auditor
from hub.config import Settings
from hub.crypto import Keyring
from hub.db.connection import Connection
from hub.db.engine import BROKEN, Database
from hub.errors import BadFile, HubError

log: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger(__name__)

ROUND_SECONDS, LONGEST_SECONDS = 1.0, 4.0
"""Between two rounds; the longer, the longer there was nothing to do."""
REST = 5
"""How many times as long as they worked those rest who look up people, while there is more."""
END_SECONDS = 5.0
"""How long the end of a process may be put off for what waits."""
WAITING = "SELECT EXISTS (SELECT FROM audit_draft)"


@contextlib.asynccontextmanager
async def auditing(database: Database, settings: Settings) -> AsyncGenerator[Auditor]:
    """A process's auditor, its rounds beside it; at the end what waits is written and signed."""
    async with Auditor(database) as auditor:
        duty = Duty(database, auditor, settings)
        rounds = asyncio.create_task(duty.run())
        try:
            yield auditor
        finally:
            rounds.cancel()
            await asyncio.gather(rounds, return_exceptions=True)
            await duty.end()


class Duty:
    """The rounds of one process."""

    def __init__(self, database: Database, auditor: Auditor, settings: Settings) -> None:
        self._database = database
        self._auditor = auditor
        self._keyring = Keyring.of(settings)
        self._file = checkpoints.file(settings)
        self._appended: int | None = None
        self._is_warned = False

    async def run(self) -> None:
        """Go on until cancelled, whatever becomes of the database."""
        await asyncio.gather(self._repeat(), self._look())

    async def end(self) -> None:
        """Put in the chain what waits, and sign it; where that can not be, another process will."""
        try:
            async with asyncio.timeout(END_SECONDS):
                await self._gather()
                await self._sign(at_once=True)
        except (*BROKEN, HubError, TimeoutError) as error:
            log.warning("the audit's end was not signed", kind=type(error).__name__)

    async def _repeat(self) -> NoReturn:
        pause = ROUND_SECONDS
        while True:
            await asyncio.sleep(pause)
            has_found = False
            try:
                has_found = await self._gather()
                await self._sign()
            except (*BROKEN, HubError) as error:
                log.warning("an audit round was interrupted", kind=type(error).__name__)
            pause = _paused(pause, is_busy=has_found)

    async def _gather(self) -> bool:
        """Put in the chain what waits; return whether anything did."""
        async with self._database.transaction() as connection:
            has_found = is_waiting = await connection.fetchval(WAITING)
        while is_waiting:
            is_waiting = await self._auditor.gather() == drafts.ROUND
        return has_found

    async def _sign(self, *, at_once: bool = False) -> None:
        async with self._database.transaction() as connection:
            await checkpoints.sign(connection, self._keyring, at_once=at_once)
        async with self._database.transaction() as connection:
            if await checkpoints.newest(connection) != self._appended:
                await self._append(connection)

    async def _append(self, connection: Connection) -> None:
        """Bring the file up to date; where that can not be, it is told once and tried again."""
        try:
            self._appended = await checkpoints.append(connection, self._file)
            self._is_warned = False
        except BadFile as error:
            if not self._is_warned:
                log.warning("checkpoints wait for their file", path=self._file, exc_info=error)
            self._is_warned = True

    async def _look(self) -> NoReturn:
        pause = ROUND_SECONDS
        while True:
            began, has_more = time.monotonic(), False
            try:
                async with self._database.transaction() as connection:
                    has_more = await mentions.look(connection)
            except (*BROKEN, HubError) as error:
                log.warning("an audit round was interrupted", kind=type(error).__name__)
            took = time.monotonic() - began
            pause = _paused(pause, is_busy=has_more)
            await asyncio.sleep(max(REST * took, 0.05) if has_more else pause)


def _paused(before: float, *, is_busy: bool) -> float:
    """How long to wait for the next round."""
    return ROUND_SECONDS if is_busy else min(before * 1.5, LONGEST_SECONDS)
