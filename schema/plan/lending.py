"""Connections for one statement after another, kept at hand between them.

A pool's ceremony at each acquire and release costs a short read as much as its statement does. And
eight short statements side by side take longer than four at a time (measured on one core of
PostgreSQL: a customer's card 0.27 ms each against 0.21), for each connection has plans of its own
to keep in the processor's memory. So half of a pool is lent at a time, besides those connections
whose statement is long. Where the way to the database is long, a larger pool makes up for it.
"""

import asyncio
from collections import deque
from typing import TYPE_CHECKING, TypeAlias

import asyncpg

from hub.db.connection import Pool

if TYPE_CHECKING:
    from asyncpg.pool import PoolConnectionProxy

    Connection: TypeAlias = PoolConnectionProxy[asyncpg.Record]
else:
    Connection = asyncpg.Connection

ROUND_SECONDS = 0.05
"""How often what lies idle goes back to the pool, and one connection in any case: others wait too.
Who has had a connection since the round before the last is long at it, and stands in nobody's way.
"""


class Lender:
    """Lends the connections of a pool. One that failed goes back, to be looked after there."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._most = pool.get_max_size()
        self._quick = max(1, self._most // 2)
        self._idle: list[Connection] = []
        self._waiting: deque[asyncio.Future[Connection | None]] = deque()
        self._returning: set[asyncio.Task[None]] = set()
        self._rounds: dict[Connection, int] = {}
        self._round = 0
        self._allowed = self._quick
        self._lent = 0
        self._busy = 0
        self._is_due = False
        self._is_awake = False

    async def take(self) -> Connection:
        """A connection, for `keep` or `give_back`."""
        while True:
            if self._busy >= self._allowed:
                if (found := await self._next()) is not None:
                    break
            elif self._idle:
                found = self._idle.pop()
                self._busy += 1
                if not _is_gone(found):
                    break
                self._return(found)
            else:
                found = await self._acquired()
                break
        self._rounds[found] = self._round
        return found

    def keep(self, connection: Connection) -> None:
        """All went well: the next one may have it."""
        self._rounds.pop(connection, None)
        if self._is_due:
            self._is_due = False
            self._return(connection)
        elif not (self._waiting and self._hand(connection)):
            self._busy -= 1
            self._idle.append(connection)

    async def give_back(self, connection: Connection) -> None:
        """Something failed, or was cancelled: let the pool see to it."""
        self._rounds.pop(connection, None)
        try:
            await self._pool.release(connection)
        finally:
            self._lent -= 1
            self._busy -= 1
            if self._busy < self._allowed:
                self._hand(None)

    async def _acquired(self) -> Connection:
        self._lent += 1
        self._busy += 1
        try:
            connection = await self._pool.acquire()
        except BaseException:
            self._lent -= 1
            self._busy -= 1
            self._hand(None)
            raise
        if not self._is_awake:
            self._sleep()
        return connection

    async def _next(self) -> Connection | None:
        """What somebody keeps next; None where there is only room for another."""
        waiter: asyncio.Future[Connection | None] = asyncio.get_running_loop().create_future()
        self._waiting.append(waiter)
        try:
            return await waiter
        except asyncio.CancelledError:
            if waiter.done() and not waiter.cancelled():
                found = waiter.result()
                _ = self._hand(None) if found is None else self.keep(found)
            raise

    def _hand(self, connection: Connection | None) -> bool:
        """To whoever waits longest, if anybody does."""
        while self._waiting:
            waiter = self._waiting.popleft()
            if not waiter.done():
                waiter.set_result(connection)
                return True
        return False

    def _return(self, connection: Connection) -> None:
        task = asyncio.create_task(self.give_back(connection))
        self._returning.add(task)
        task.add_done_callback(self._returning.discard)

    def _sleep(self) -> None:
        self._is_awake = True
        asyncio.get_running_loop().call_later(ROUND_SECONDS, self._look)

    def _look(self) -> None:
        self._is_awake = False
        self._round += 1
        long = sum(began < self._round - 1 for began in self._rounds.values())
        self._allowed = min(self._quick + long, self._most)
        for _ in range(self._allowed - self._busy):
            self._hand(None)
        idle, self._idle = self._idle, []
        self._busy += len(idle)
        for connection in idle:
            self._return(connection)
        self._is_due = not idle
        if self._lent > len(idle):
            self._sleep()


def _is_gone(connection: Connection) -> bool:
    """Whether it broke while nobody used it; the pool has taken it back then, and it complains."""
    try:
        return connection.is_closed()
    except asyncpg.InterfaceError:
        return True
