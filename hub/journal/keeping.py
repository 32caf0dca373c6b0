"""Keeps the journal: follows the numbered events, one process at a time, and writes down what
people took back.

How far it came is read from the files, so that a lost folder is written again from the events that
are left; the database is told only after the files are on disk. A process killed between the two
writes a few entries twice, which harms nobody.
"""

import asyncio
import contextlib
from collections.abc import Generator
from pathlib import Path
from typing import NoReturn
from uuid import UUID

import structlog

from hub import clock
from hub.db import hold, lasting
from hub.db.connection import Connection
from hub.db.engine import Database
from hub.errors import BadFile, Retry
from hub.journal import files
from hub.journal.entries import Opened
from hub.journal.files import Writer
from hub.journal.gathering import gather

log: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger(__name__)

LOCK = 0x6875625F6A6F7572
"""Advisory lock of the one process that writes ("hub_jour")."""
CANDIDACY = f"SELECT pg_try_advisory_lock({LOCK})"
CANDIDACY_SECONDS = 1.0
ANSWER_SECONDS = 60.0
ROUND = 5_000
"""The most positions that are looked at in one go."""
GATHERING_SECONDS = 0.05
"""Between two rounds at least: many small commits share one write to the disk."""
IDLE_SECONDS = 0.5
"""How often to look while nothing happens."""

NEWEST = "SELECT coalesce(max(position), 0) FROM event"
LIFE = "SELECT id, start, position FROM journal_timeline WHERE id = $1"
REACHED = """
UPDATE journal_timeline SET position = greatest(position, $2) WHERE id = $1 AND position < $2
"""


class Keeper:
    """Writes the journal while it runs and no other process does."""

    def __init__(self, database: Database, folder: Path | None = None) -> None:
        self._database = database
        self._folder = folder or files.folder_of(database.settings)

    async def run(self) -> NoReturn:
        """Take turns with the other processes until cancelled, whatever becomes of the server or
        the disk."""
        await lasting.keep(self._database, self._serve, job="journal")

    async def _serve(self, connection: Connection) -> NoReturn:
        while not await connection.fetchval(CANDIDACY, timeout=ANSWER_SECONDS):  # noqa: ASYNC110
            await asyncio.sleep(CANDIDACY_SECONDS)
        while True:
            timeline = await hold.timeline(connection)
            if timeline is not None:
                await self._keep(connection, timeline)
            await asyncio.sleep(IDLE_SECONDS)

    async def _keep(self, connection: Connection, timeline: UUID) -> None:
        """Write into one file until it is full, or the hub is held."""
        life = await connection.fetchrow(LIFE, timeline)
        if life is None:
            return
        with _explained():
            begun = await asyncio.to_thread(self._reached, timeline)
            since: int = life["start"] if begun is None else min(begun, life["position"])
            opened = Opened(timeline=timeline, position=since, at=clock.now())
            writer = await asyncio.to_thread(Writer, self._folder, opened)
        with writer:
            while not writer.is_full:
                until = await self._round(connection, timeline, since, writer)
                await asyncio.sleep(GATHERING_SECONDS if until > since else IDLE_SECONDS)
                if until == since and await hold.timeline(connection) != timeline:
                    return
                since = until

    def _reached(self, timeline: UUID) -> int | None:
        """Up to where the files go; a journal that is damaged is written anew."""
        try:
            return files.reached(self._folder, timeline)
        except BadFile as error:
            log.error("the journal is damaged and written anew", code=error.code, exc_info=error)
            return None

    async def _round(
        self, connection: Connection, timeline: UUID, since: int, writer: Writer
    ) -> int:
        """Write what some of the next events tell; return how far that was."""
        newest: int = await connection.fetchval(NEWEST, timeout=ANSWER_SECONDS)
        until = max(since, min(newest, since + ROUND))
        if until > since:
            async with connection.transaction():
                lines = await gather(connection, timeline, since, until)
            if lines:
                with _explained():
                    await asyncio.to_thread(writer.append, lines)
            await connection.execute(REACHED, timeline, until)
        return until


@contextlib.contextmanager
def _explained() -> Generator[None]:
    """Say that it is the journal's disk, not the database's."""
    try:
        yield
    except OSError as error:
        log.error("the journal can not be written", kind=type(error).__name__, exc_info=error)
        raise Retry("The journal can not be written: look at HUB_JOURNAL_DIR.") from error
