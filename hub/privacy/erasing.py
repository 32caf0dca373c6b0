"""Erasing a person for good, in steps that survive being killed: GDPR, article 17.

The first step makes them unknown to everybody; those after it delete what is left. Of the ledger,
the audit, disclosures and events the ids, purposes and times stay.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from hub.clock import now
from hub.db.connection import Connection
from hub.db.engine import Database
from hub.errors import Conflict, NotFound
from hub.privacy import remains, requests, statistics, tombstone
from hub.privacy.deadlines import due
from hub.suppression import Busy

REQUEST = "SELECT customer_id, kind, state FROM privacy_request WHERE id = $1"
MAKE = """
INSERT INTO privacy_request (id, kind, customer_id, requested_by, received_at, due_at)
VALUES ($1, 'erasure', $2, $3, $4, $5) ON CONFLICT (id) DO NOTHING
"""
BEGIN = """
UPDATE privacy_request SET state = 'running', started_at = coalesce(started_at, now()), message = ''
 WHERE id = $1 AND state IN ('received', 'failed')
"""
HUB_DONE = """
UPDATE privacy_step SET state = 'done', message = '', updated_at = now()
 WHERE request_id = $1 AND holder = 'hub' AND state <> 'done'
"""
HOLDERS = "SELECT holder, state FROM privacy_step WHERE request_id = $1 ORDER BY holder"

ATTEMPTS, PAUSE = 5, 1.0
"""How often it waits for batches on their way in, and for so many seconds lets others pass."""

Step = Callable[[Connection, UUID], Awaitable[bool | None]]
"""Does a part of the work on a customer; True where there may be more of it."""
STEPS: tuple[Step, ...] = (
    remains.leave_interactions,
    remains.delete_facts,
    remains.empty_papers,
    remains.forget_values,
    remains.delete_records,
)


@dataclass(frozen=True, slots=True)
class Erased:
    """What an erasure came to: how many records went, and how it stands at each holder."""

    request_id: UUID
    customer_id: UUID
    records: int
    holders: dict[str, str]
    state: str


async def erase(
    database: Database,
    request_id: UUID,
    *,
    customer_id: UUID | None = None,
    erased_at: datetime | None = None,
    by: str = "command",
) -> Erased:
    """Erase whom a request is about, or go on with it; again changes nothing.

    A request that is not there is made of the other arguments, as after a restore. `erased_at` is
    what acts of the person have to be later than, to lift it. Raises NotFound for no request, and
    Conflict for another kind of request or one that was taken back.
    """
    at = erased_at or now()
    customer = await _customer(database, request_id, customer_id, at, by)
    if customer is not None:
        await _condemn(database, request_id, customer, at, by)
        for step in STEPS:
            await _whole(database, step, customer)
        await statistics.refresh(database, request_id)
    return await _finish(database, request_id)


async def _customer(
    database: Database, request: UUID, customer: UUID | None, at: datetime, by: str
) -> UUID | None:
    """The customer whom the request is about, by the id they have now; None for nobody known."""

    async def work(connection: Connection) -> UUID | None:
        if customer is not None:
            await connection.execute(MAKE, request, customer, by, at, due(at))
        whose = await _whose(connection, request)
        await connection.execute(BEGIN, request)
        found = await tombstone.who(connection, whose)
        return None if found is None else found[0]

    return await database.retrying(work)


async def _whose(connection: Connection, request: UUID) -> UUID:
    """Whom a request wants erased."""
    row = await connection.fetchrow(REQUEST, request)
    if row is None:
        raise NotFound("There is no request with this id: `hub privacy list` shows all.")
    if row["kind"] != "erasure" or row["state"] == "withdrawn":
        raise Conflict("The request does not ask for an erasure, or was taken back.")
    return row["customer_id"]


async def _condemn(
    database: Database, request: UUID, customer: UUID, at: datetime, by: str
) -> None:
    async def look(connection: Connection) -> Sequence[UUID]:
        return await tombstone.prepare(connection, request, customer)

    left = await database.retrying(look)

    async def work(connection: Connection) -> None:
        await tombstone.make(connection, request, customer, at=at, by=by, left=left)

    for _ in range(ATTEMPTS):
        try:
            return await database.retrying(work)
        except Busy:
            await asyncio.sleep(PAUSE)
    await database.retrying(work)


async def _whole(database: Database, step: Step, customer: UUID) -> None:
    """Do a step until nothing of it is left, each part in a transaction of its own."""

    async def work(connection: Connection) -> bool | None:
        return await step(connection, customer)

    while await database.retrying(work):
        pass


async def _finish(database: Database, request: UUID) -> Erased:
    async def work(connection: Connection) -> Erased:
        await connection.execute(HUB_DONE, request)
        done = await requests.settled(connection, request)
        holders = {row["holder"]: row["state"] for row in await connection.fetch(HOLDERS, request)}
        return Erased(request, done.customer_id, done.records, holders, done.state)

    return await database.retrying(work)
