"""What a worker does for people's requests: each of them, and tidying up once a day."""

import asyncio
import time
from datetime import timedelta
from functools import partial
from uuid import UUID

import structlog

from hub.config import Settings
from hub.crypto import Keyring
from hub.db.connection import Connection
from hub.db.engine import AWAY, Database
from hub.errors import AlreadyRunning, Conflict, HubError, Retry
from hub.jobs import Duties
from hub.privacy import erasing, requests
from hub.privacy.archive import making
from hub.privacy.requests import JOB, LATER, Request
from hub.privacy.retention import Retention

log: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger(__name__)

DAY = timedelta(days=1).total_seconds()
KEY = "hashtextextended('privacy ' || {id}::text, 0)"
"""What the advisory lock of a request is called."""
HELD = f"SELECT pg_try_advisory_xact_lock({KEY.format(id='$1')})"
LYING = f"""
WITH lying AS MATERIALIZED (
    SELECT id FROM privacy_request
     WHERE kind = ANY($1)
       AND (state = 'received' AND received_at < now() - interval '5 s'
            OR state = 'running'
            OR state = 'failed' AND started_at < now() - interval '1 hour')
     ORDER BY due_at LIMIT 20
)
SELECT id FROM lying WHERE pg_try_advisory_xact_lock({KEY.format(id="id")})
"""
"""Of those that a worker has under way, only whose worker was killed."""
NEXT = f"""
WITH waiting AS MATERIALIZED (
    SELECT id FROM privacy_request WHERE kind = ANY($1) AND state = 'received'
     ORDER BY due_at, id LIMIT 20
)
SELECT id FROM waiting WHERE pg_try_advisory_xact_lock({KEY.format(id="id")}) LIMIT 1
"""
BEGIN = """
UPDATE privacy_request SET state = 'running', started_at = now(), message = ''
 WHERE id = $1 AND state NOT IN ('done', 'withdrawn', 'waiting') RETURNING true
"""
SNAPSHOT = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"
HOLD = """
SELECT c.id FROM customer c WHERE c.id = coalesce(
    (SELECT a.customer_id FROM customer_alias a WHERE a.alias_id = $1), $1)
   AND c.status = 'active' FOR SHARE
"""
"""Nobody is merged, split or erased while their archive is made: what is gone is not in it."""
GONE = "The person was erased before this was answered."
LET_GO = """
UPDATE privacy_request SET state = 'withdrawn', message = $2, finished_at = now() WHERE id = $1
"""
READY = """
WITH made AS (
    INSERT INTO privacy_step AS s (request_id, holder, state) VALUES ($1, 'hub', 'done')
    ON CONFLICT (request_id, holder) DO UPDATE SET state = 'done', updated_at = now()
)
UPDATE privacy_request SET available_until = $2 WHERE id = $1
"""
FAIL = """
UPDATE privacy_request SET state = 'failed', message = $2
 WHERE id = $1 AND state NOT IN ('done', 'withdrawn')
"""
OVERDUE = """
SELECT count(*) FROM privacy_request
 WHERE due_at < now() AND state NOT IN ('done', 'withdrawn')
"""
UNEXPECTED = "It failed for a reason that the log tells: it is tried again every hour."


def duties(database: Database, settings: Settings) -> Duties:
    """The jobs and rounds of this subject."""
    desk = Desk(database, settings)
    retention = Retention(settings)
    return Duties(
        {JOB: desk.work},
        [partial(look, database), partial(retention.look, database), Overdue(database).look],
    )


class Desk:
    """Does requests, one at a time in each process: each keeps a connection for its lock."""

    def __init__(self, database: Database, settings: Settings) -> None:
        self._database = database
        self._settings = settings
        self._keyring = Keyring.of(settings)
        self._one = asyncio.Lock()

    async def work(self, payload: bytes, stopping: asyncio.Event) -> None:
        """The job: a request by its id, and those after it that have not been begun.

        Whoever comes meanwhile goes again, so that a crowd of requests takes no other job's room.
        """
        if self._one.locked():
            return
        request: UUID | None = UUID(payload.decode())
        while request is not None and not stopping.is_set():
            await self._tried(request)
            request = await self._database.retrying(lambda c: c.fetchval(NEXT, list(LATER)))

    async def _tried(self, request: UUID) -> None:
        """One request of several, none of whose errors stops the others."""
        try:
            await self.do(request)
        except AlreadyRunning:
            return
        except (*AWAY, Retry):
            log.warning("a privacy request was interrupted and goes on later", job=JOB)
        except Exception as error:  # the job loop: it is told, noted, and tried again
            log.error("a privacy request failed", job=JOB, exc_info=error)
            await fail(self._database, request, error)

    async def do(self, request: UUID) -> Request:
        """Do one request now, as far as it can be done; again it goes on where it was.

        Raises NotFound, Conflict for one that no worker does, and AlreadyRunning.
        """
        async with self._one, self._database.transaction() as guard:
            found = await requests.find(guard, request)
            if found.kind not in LATER:
                raise Conflict("The request was done when it was asked for.")
            if not await guard.fetchval(HELD, str(request)):
                raise AlreadyRunning("The request is being done by another process just now.")
            await self._do(found)
        return await self._database.retrying(lambda c: requests.find(c, request))

    async def _do(self, request: Request) -> None:
        if not await self._database.retrying(lambda c: c.fetchval(BEGIN, request.id)):
            return
        if request.kind == "access":
            await self._database.retrying(partial(self._give_access, request))
        else:
            await erasing.erase(self._database, request.id)
        await self._database.retrying(lambda c: requests.settled(c, request.id))

    async def _give_access(self, request: Request, connection: Connection) -> None:
        await connection.execute(SNAPSHOT)
        customer: UUID | None = await connection.fetchval(HOLD, request.customer_id)
        if customer is None:
            await connection.execute(LET_GO, request.id, GONE)
            return
        words = (request.id, customer)
        until = await making.make(connection, self._keyring, self._settings, *words)
        await connection.execute(READY, request.id, until)


async def look(database: Database) -> None:
    """Wake workers for requests that were left lying."""
    async with database.transaction() as connection:
        for row in await connection.fetch(LYING, list(LATER)):
            await requests.wake(connection, row["id"])


async def fail(database: Database, request: UUID, error: Exception) -> None:
    """Note that a request failed, and why as far as that may be told."""
    message = str(error) if isinstance(error, HubError) else UNEXPECTED
    await database.retrying(lambda c: c.execute(FAIL, request, message))


class Overdue:
    """Says once a day that requests are overdue."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._due_at = 0.0

    async def look(self) -> None:
        if time.monotonic() < self._due_at:
            return
        count: int = await self._database.retrying(lambda c: c.fetchval(OVERDUE))
        self._due_at = time.monotonic() + DAY
        if count:
            log.warning("privacy requests are overdue: `hub privacy list --overdue`", count=count)
