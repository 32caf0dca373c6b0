"""Writing events as the hub does, watching them numbered, and ending a relay in another process."""

import asyncio
import contextlib
import json
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncGenerator, Coroutine, Generator, Sequence
from typing import Any
from uuid import UUID

from hub import outbox
from hub.db.connection import Connection
from hub.db.engine import Database
from hub.outbox import Event
from hub.relay import LOCK

UNNUMBERED = "SELECT count(*) FROM event WHERE position IS NULL"
THEIRS = "SELECT count(*) FROM event WHERE customer_id = $1"
HOLDER = f"""
SELECT pid FROM pg_locks
 WHERE locktype = 'advisory' AND granted AND (classid::bigint << 32) + objid::bigint = {LOCK}
   AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""
RELAY = """
import asyncio, sys
from hub.config import Settings
from hub.db.addresses import Addresses
from hub.db.engine import Database
from hub.relay import Relay

async def main():
    async with await Database.over(Settings(), Addresses(*sys.argv[1:])) as database:
        await Relay(database).run()

asyncio.run(main())
"""


@contextlib.asynccontextmanager
async def running(*endless: Coroutine[Any, Any, Any]) -> AsyncGenerator[list[asyncio.Task[Any]]]:
    """Endless work, ended with the block; if it ends before, so does the block."""
    tasks = [asyncio.create_task(work) for work in endless]
    try:
        yield tasks
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    assert all(task.cancelled() for task in tasks)


@contextlib.contextmanager
def relay_process(database: Database) -> Generator["subprocess.Popen[bytes]"]:
    """A relay in a process of its own, which is killed at the end at the latest."""
    found = database.addresses
    command = [sys.executable, "-c", RELAY, found.owner, found.direct, found.reader or ""]
    with subprocess.Popen(command) as process:
        try:
            yield process
        finally:
            process.kill()


async def write(connection: Connection, *customers: UUID) -> None:
    """One event of each customer, saying how many there were, locked as the hub locks them."""
    for customer in sorted(customers):
        await connection.execute("SELECT pg_advisory_xact_lock(hashtext($1))", str(customer))
        before = await connection.fetchval(THEIRS, customer)
        event = Event("customer.changed", customer, data={"before": before})
        await outbox.write(connection, [event], cause="api")


async def commit(database: Database, *customers: UUID) -> None:
    async with database.transaction() as connection:
        await write(connection, *customers)


async def numbered(database: Database, *, seconds: float = 60) -> None:
    """Wait until no event is left without a position."""
    async with asyncio.timeout(seconds):
        while await database.owner.fetchval(UNNUMBERED):
            await asyncio.sleep(0.01)


async def settled(database: Database, *, seconds: float = 60) -> Sequence[Any]:
    """All events by position, once none is left without one: complete, and each customer's in the
    order of their commits.
    """
    await numbered(database, seconds=seconds)
    events = await database.owner.fetch("SELECT * FROM event ORDER BY position")
    assert [event["position"] for event in events] == list(range(1, len(events) + 1))
    counts = Counter[UUID]()
    for event in events:
        assert json.loads(event["data"])["before"] == counts[event["customer_id"]]
        counts[event["customer_id"]] += 1
    return events


async def holder(database: Database, *, besides: int = 0, seconds: float = 60) -> int:
    """The server process of the relay that numbers, once there is one, and one besides this."""
    async with asyncio.timeout(seconds):
        while (pid := await database.owner.fetchval(HOLDER)) in (None, besides):
            await asyncio.sleep(0.01)
    return pid
