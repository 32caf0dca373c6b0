"""A process's chain: entries are written in groups, the next as soon as the last is committed."""

import asyncio
import contextlib
from collections.abc import Sequence
from typing import Any, Self, TypeVar

import asyncpg
import structlog

from hub.audit import drafts
from hub.audit.chain import COLUMNS, Acts, Head, beginning, linked
from hub.audit.entries import Entry
from hub.db.connection import Connection
from hub.db.engine import AWAY, Database
from hub.db.lasting import VIGILANCE
from hub.errors import DatabaseUnreachable, Retry

log: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger(__name__)

ANSWER_SECONDS = 10.0
"""How long the database may take over a group before its connection counts as lost."""
LEAST_TURNS, MOST_TURNS = 2, 64
"""Of the loop, in which nobody came, before a group is written without them."""
NAME = "hub audit"
"""What the connection is called in `pg_stat_activity`."""
BEGIN = "INSERT INTO audit_chain (id) VALUES ($1)"
LOST = (*AWAY, asyncpg.InterfaceError, TimeoutError, OSError, Retry)
"""The connection broke, so that another may do."""

UNKEPT = "The hub can not note just now who sees what, so it shows nothing: try again in a moment."

T = TypeVar("T")
Waiter = asyncio.Future[None]


class Auditor:
    """Writes a process's entries. Whoever waits for one hears when it is kept, or that it is not.

    A chain lives as long as the connection that writes it: when that breaks, nobody knows what of
    the last group was kept, and so the group is written again at the beginning of another chain.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._entries: list[Entry] = []
        self._waiters: list[Waiter] = []
        self._gathering: list[asyncio.Future[int]] = []
        self._writing: asyncio.Task[None] | None = None
        self._connection: Connection | None = None
        self._stack = contextlib.AsyncExitStack()
        self._head: Head | None = None
        self._acts = Acts()
        self._patience = LEAST_TURNS
        self.coming = 0
        """How many are under way whose entries are yet to come, as far as anybody says so."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def read(self, entry: Entry) -> None:
        """Keep what an answer tells, before it leaves. Raises DatabaseUnreachable, Retry."""
        self._entries.append(entry)
        await self._kept()

    async def sent(self, entries: Sequence[Entry]) -> None:
        """Keep what is about to leave. Raises DatabaseUnreachable, Retry."""
        if entries:
            self._entries.extend(entries)
            await self._kept()

    async def gather(self) -> int:
        """Put drafts in the chain, as many as one round takes; how many those were."""
        waiter: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._gathering.append(waiter)
        self._begin()
        return await waiter

    async def close(self) -> None:
        """Write what waits, and let go of the connection. Safe to repeat."""
        while self._writing is not None:
            await asyncio.wait([self._writing])
        await self._part()

    async def _kept(self) -> None:
        waiter: Waiter = asyncio.get_running_loop().create_future()
        self._waiters.append(waiter)
        if self._writing is None:
            self._begin()
        await waiter

    def _begin(self) -> None:
        if self._writing is None:
            self._writing = asyncio.create_task(self._write())

    async def _write(self) -> None:
        """Write groups until nobody waits."""
        try:
            while self._entries or self._gathering:
                await self._company()
                entries, self._entries = self._entries, []
                waiters, self._waiters = self._waiters, []
                gathering, self._gathering = self._gathering, []
                try:
                    found = await self._committed(entries, gathers=bool(gathering))
                except Exception as error:
                    _fail([*waiters, *gathering], error)
                else:
                    _tell(waiters, None)
                    _tell(gathering, found)
        finally:
            self._writing = None

    async def _company(self) -> None:
        """Let those join the group who are about to come: half of all who are under way.

        To commit costs as much as twenty entries do, so a crowd shall share it. No time passes
        here: the loop only goes on to what is ready. Where turn after turn nobody came, others
        will not be waited for as long; where somebody did, longer.
        """
        known, quiet = len(self._entries), 0
        while known < self.coming:
            await asyncio.sleep(0)
            count = len(self._entries)
            quiet = 0 if count > known else quiet + 1
            if quiet == self._patience:
                self._patience = max(self._patience // 2, LEAST_TURNS)
                return
            if quiet == 0:
                self._patience = min(self._patience * 2, MOST_TURNS)
            known = count

    async def _committed(self, entries: Sequence[Entry], *, gathers: bool) -> int:
        """Write a group, once more where the connection broke; how many drafts were in it."""
        try:
            return await self._append(entries, gathers=gathers)
        except LOST as error:
            log.warning("audit connection lost, trying again", kind=type(error).__name__)
            await self._part()
        await self._database.revive()
        return await self._append(entries, gathers=gathers)

    async def _append(self, entries: Sequence[Entry], *, gathers: bool) -> int:
        connection = self._connection or await self._connected()
        if self._head is not None and not gathers:
            head, pieces = linked(self._head, entries, self._acts)
            if len(pieces) == 1:
                await _copy(connection, pieces[0])  # commits by itself
                self._head = head
                return 0
        async with connection.transaction():
            found = await drafts.taken(connection) if gathers else []
            if not entries and not found:
                return 0
            head = self._head or beginning()
            if head.number == 0:
                await connection.execute(BEGIN, head.id, timeout=ANSWER_SECONDS)
            head, pieces = linked(head, [*entries, *found], self._acts)
            for piece in pieces:
                await _copy(connection, piece)
        self._head = head
        return len(found)

    async def _connected(self) -> Connection:
        connection = await self._stack.enter_async_context(self._database.session("direct"))
        await connection.execute(f"{VIGILANCE}; SET application_name = '{NAME}'")
        self._connection = connection
        return connection

    async def _part(self) -> None:
        """Let go of the connection, and of its chain."""
        connection, self._connection, self._head = self._connection, None, None
        if connection is not None and not connection.is_closed():
            connection.terminate()
        await self._stack.aclose()


async def _copy(connection: Connection, piece: bytes) -> None:
    source: Any = memoryview(piece)  # bytes alone asyncpg takes for a path
    await connection.copy_to_table(
        "audit_entry", source=source, columns=COLUMNS, format="binary", timeout=ANSWER_SECONDS
    )


def _tell(waiters: Sequence[asyncio.Future[T]], result: T) -> None:
    for waiter in waiters:
        if not waiter.done():
            waiter.set_result(result)


def _fail(waiters: Sequence[asyncio.Future[Any]], error: Exception) -> None:
    """Every one gets an error of its own: a shared one would gather everybody's frames."""
    log.error("audit entries could not be kept", kind=type(error).__name__, exc_info=error)
    for waiter in waiters:
        if not waiter.done():
            waiter.set_exception(DatabaseUnreachable(UNKEPT))
