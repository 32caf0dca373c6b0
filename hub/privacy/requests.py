"""The requests of people: made, looked at, extended, settled.

Each is a row, so that nothing of it is lost with a process; a job only wakes a worker.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import Any, Literal
from uuid import UUID

from hub import clock, jobs
from hub.db.connection import Connection
from hub.errors import BadInput, Conflict, NotFound
from hub.identity.decisions import held
from hub.privacy import deadlines

Kind = Literal["access", "erasure", "restriction", "objection"]
State = Literal["received", "running", "waiting", "done", "failed", "withdrawn"]

JOB = "privacy"
"""The job that does one request, whose id is its payload."""
LATER: frozenset[Kind] = frozenset({"access", "erasure"})
"""What a worker does; the rest is done where it is asked for."""
LONGEST_REASON = 2_000

COLUMNS = """
r.id, r.kind, r.customer_id, r.purpose, r.state, r.requested_by, r.received_at, r.due_at,
r.extended_for, r.started_at, r.finished_at, r.message, r.records, r.available_until, r.lifted_at
"""
SAME = f"""
SELECT {COLUMNS} FROM privacy_request r
 WHERE r.customer_id IN (SELECT $1 UNION SELECT alias_id FROM customer_alias WHERE customer_id = $1)
   AND r.kind = $2 AND r.state NOT IN ('done', 'withdrawn')
 ORDER BY r.received_at, r.id LIMIT 1
"""
MAKE = f"""
INSERT INTO privacy_request AS r
       (id, kind, customer_id, purpose, requested_by, received_at, due_at)
VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING {COLUMNS}
"""
FIND = f"SELECT {COLUMNS} FROM privacy_request r WHERE r.id = $1"
LISTED = f"""
SELECT {COLUMNS} FROM privacy_request r
 WHERE ($1::text[] IS NULL OR r.kind = ANY($1)) AND ($2 OR r.state NOT IN ('done', 'withdrawn'))
   AND (NOT $3 OR r.due_at < now() AND r.state NOT IN ('done', 'withdrawn'))
 ORDER BY r.due_at, r.id LIMIT $4
"""
STEPS = """
SELECT holder, state, message, updated_at FROM privacy_step WHERE request_id = $1
 ORDER BY holder <> 'hub', holder
"""
EXTEND = f"""
UPDATE privacy_request r SET due_at = $2, extended_for = $3
 WHERE r.id = $1 RETURNING {COLUMNS}
"""
WITHDRAW = f"""
UPDATE privacy_request r SET state = 'withdrawn', finished_at = now()
 WHERE r.id = $1 AND r.state = 'received' RETURNING {COLUMNS}
"""
STEP_DONE = """
UPDATE privacy_step SET state = 'done', message = $3, updated_at = now()
 WHERE request_id = $1 AND holder = $2 AND holder <> 'hub' RETURNING true
"""
SETTLE = f"""
WITH steps AS (
    SELECT coalesce(bool_or(state = 'failed'), false) AS failed,
           coalesce(bool_and(state = 'done'), true) AS done
      FROM privacy_step WHERE request_id = $1
)
UPDATE privacy_request r
   SET state = CASE WHEN s.failed THEN 'failed' WHEN s.done THEN 'done' ELSE 'waiting' END,
       finished_at = CASE WHEN s.done AND NOT s.failed THEN coalesce(r.finished_at, now()) END,
       message = CASE WHEN s.failed THEN r.message ELSE '' END
  FROM steps s WHERE r.id = $1 AND r.state <> 'withdrawn' RETURNING {COLUMNS}
"""


@dataclass(frozen=True, slots=True)
class Request:
    """A request as it stands (`hub.models.PrivacyRequest`)."""

    id: UUID
    kind: Kind
    customer_id: UUID
    purpose: str | None
    state: State
    requested_by: str
    received_at: datetime
    due_at: datetime
    extended_for: str
    started_at: datetime | None
    finished_at: datetime | None
    message: str
    records: int
    available_until: datetime | None
    lifted_at: datetime | None

    @property
    def is_open(self) -> bool:
        return self.state not in ("done", "withdrawn")

    @property
    def is_overdue(self) -> bool:
        """Whether the time to answer it is over, and it is not answered."""
        return self.is_open and self.due_at < clock.now()


@dataclass(frozen=True, slots=True)
class Step:
    """What a request comes to at one holder."""

    holder: str
    state: str
    message: str
    updated_at: datetime


async def ask(
    connection: Connection,
    kind: Kind,
    customer: UUID,
    *,
    by: str,
    at: datetime | None = None,
    purpose: str | None = None,
    zone: tzinfo = UTC,
) -> Request:
    """Make a request of a customer, received `at` or now; in a transaction.

    Of those that a worker does, one that is open already is returned instead. Raises NotFound,
    BadInput for a day that is still to come.
    """
    (whose,) = await held(connection, customer)
    if kind in LATER:
        same = await connection.fetchrow(SAME, whose, kind)
        if same is not None:
            return _request(same)
    received = at or clock.now()
    if received > clock.now():
        raise BadInput("A request can not come from the future: look at its day.")
    due = deadlines.due(received, zone=zone)
    words = (clock.new_id(), kind, whose, purpose, by, received, due)
    made = _request(await connection.fetchrow(MAKE, *words))
    if kind in LATER:
        await wake(connection, made.id)
    return made


async def wake(connection: Connection, request: UUID) -> None:
    """Have a worker do a request, in the caller's transaction."""
    await jobs.enqueue(connection, jobs.Job(JOB, str(request).encode(), f"{JOB}:{request}"))


async def find(connection: Connection, request: UUID) -> Request:
    """One request. Raises NotFound."""
    row = await connection.fetchrow(FIND, request)
    if row is None:
        raise NotFound("There is no request with this id: `hub privacy list` shows all.")
    return _request(row)


async def listed(
    connection: Connection,
    *,
    kinds: Collection[Kind] = (),
    closed: bool = False,
    overdue: bool = False,
    first: int = 50,
) -> Sequence[Request]:
    """Requests, the most urgent first; the answered and withdrawn too where `closed`."""
    rows = await connection.fetch(LISTED, list(kinds) or None, closed, overdue, first)
    return [_request(row) for row in rows]


async def steps(connection: Connection, request: UUID) -> Sequence[Step]:
    """What a request comes to at each holder, the hub first."""
    return [Step(**dict(row)) for row in await connection.fetch(STEPS, request)]


async def extend(
    connection: Connection, request: UUID, *, months: int, reason: str, zone: tzinfo = UTC
) -> Request:
    """Give a request so many months more than the one there is, for a reason the person is told.

    Raises NotFound, BadInput, and Conflict for one that is answered, or overdue: the person has to
    be told within the first month.
    """
    found = await find(connection, request)
    if not found.is_open:
        raise Conflict("The request is answered: there is nothing to extend.")
    if deadlines.due(found.received_at, zone=zone) < clock.now():
        raise Conflict("A deadline can be extended within the first month alone, which is over.")
    if not reason.strip() or len(reason) > LONGEST_REASON:
        raise BadInput(f"Say why, in up to {LONGEST_REASON} characters: the person is to be told.")
    due = deadlines.due(found.received_at, zone=zone, more=months)
    return _request(await connection.fetchrow(EXTEND, request, due, reason.strip()))


async def withdraw(connection: Connection, request: UUID) -> Request:
    """The person takes a request back. Raises NotFound, and Conflict for one that was begun."""
    await find(connection, request)
    row = await connection.fetchrow(WITHDRAW, request)
    if row is None:
        raise Conflict("The request was begun already, or is over: it can not be taken back.")
    return _request(row)


async def done_by_hand(
    connection: Connection, request: UUID, holder: str, *, message: str = ""
) -> Request:
    """Note that a person did at a connected system what the request asks; then settle it.

    Raises NotFound.
    """
    await find(connection, request)
    if not await connection.fetchval(STEP_DONE, request, holder, message):
        raise NotFound("The request has no such holder: `hub privacy show` lists its holders.")
    return await settled(connection, request)


async def settled(connection: Connection, request: UUID) -> Request:
    """Let a request be what its steps come to: failed, waiting for some of them, or done."""
    row = await connection.fetchrow(SETTLE, request)
    return await find(connection, request) if row is None else _request(row)


def _request(row: Any) -> Request:
    return Request(**dict(row))
