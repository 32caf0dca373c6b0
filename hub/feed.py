"""How far the numbered events go, and what else is told: one connection that listens, for everyone
here who waits."""

import asyncio
import contextlib
from collections.abc import Callable
from typing import NoReturn

from hub.db import lasting
from hub.db.connection import Connection
from hub.db.engine import Database

CHANNEL = "hub_events"
"""Where the newest position is told, each time events were numbered."""
NEWEST = "SELECT coalesce(max(position), 0) FROM event"
HEARTBEAT_SECONDS = 10.0
"""How often the table is asked as well: a silent line is noticed, and nothing stays missed."""
ANSWER_SECONDS = 10.0
POSITION_DIGITS = 19
"""Of the highest bigint."""


class Feed:
    """The newest numbered event known to this process.

    `run` keeps it so. `position` is -1 until it is known, so `await beyond(-1)` waits for that.
    """

    def __init__(self, database: Database) -> None:
        self.position = -1
        self._database = database
        self._moved = asyncio.Event()
        self._others: list[tuple[str, Callable[[], None]]] = []

    def hear(self, channel: str, told: Callable[[], None]) -> None:
        """Call a function each time something is told on another channel, and when it may have
        been, while nobody listened. Before `run`."""
        self._others.append((channel, told))

    async def run(self) -> NoReturn:
        """Follow the events until cancelled, whatever becomes of the connection."""
        await lasting.keep(self._database, self._follow, job="feed")

    async def beyond(self, position: int) -> int:
        """Wait until there is an event after this position; return the newest one's.

        Thousands may wait: each costs one future, and nothing while nothing happens.
        """
        while self.position <= position:
            await self._moved.wait()
        return self.position

    async def _follow(self, connection: Connection) -> NoReturn:
        """Listen first and then look, so that what comes in between is heard."""
        lost = asyncio.Event()
        connection.add_termination_listener(lambda _: lost.set())
        await connection.add_listener(CHANNEL, self._hear)
        for channel, told in self._others:
            await connection.add_listener(channel, _calling(told))
            told()
        while True:
            self._advance(await connection.fetchval(NEWEST, timeout=ANSWER_SECONDS))
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(lost.wait(), HEARTBEAT_SECONDS)

    def _hear(self, _connection: object, _pid: int, _channel: str, payload: object) -> None:
        """Any role may notify, so nothing is believed that can not be a position."""
        text = str(payload)
        if len(text) < POSITION_DIGITS and text.isdecimal():
            self._advance(int(text))

    def _advance(self, position: int) -> None:
        if position > self.position:
            self.position = position
            moved, self._moved = self._moved, asyncio.Event()
            moved.set()


def _calling(told: Callable[[], None]) -> Callable[..., None]:
    def hear(*_: object) -> None:
        told()

    return hear
