"""Restriction: a person's data is kept, and used for nothing but what the law wants."""

from collections.abc import Sequence
from datetime import UTC, datetime, tzinfo
from uuid import UUID

from hub import clock, outbox
from hub.db.connection import Connection
from hub.errors import Conflict
from hub.identity.decisions import held
from hub.ledger import restriction
from hub.outbox import Event
from hub.privacy import requests
from hub.privacy.requests import Request

IN_FORCE = """
SELECT r.id, r.requested_by, r.record_ids @> theirs.ids AS is_whole
  FROM privacy_request r,
       (SELECT ARRAY(SELECT record_id FROM identity_link
                      WHERE customer_id = $1 AND unlinked_at IS NULL) AS ids) AS theirs
 WHERE r.record_ids IS NOT NULL AND r.lifted_at IS NULL AND r.record_ids && theirs.ids
 ORDER BY r.received_at, r.id
"""
BEGIN = """
UPDATE privacy_request SET state = 'done', started_at = $2, finished_at = $2, record_ids = ARRAY(
       SELECT record_id FROM identity_link WHERE customer_id = $3 AND unlinked_at IS NULL
        ORDER BY record_id)
 WHERE id = $1
"""
LIFT = """
WITH left_over AS (
    SELECT r.id, ARRAY(SELECT unnest(r.record_ids) EXCEPT
                       SELECT record_id FROM identity_link
                        WHERE customer_id = $3 AND unlinked_at IS NULL) AS records
      FROM privacy_request r WHERE r.id = ANY($1::uuid[])
)
UPDATE privacy_request r
   SET lifted_at = CASE WHEN l.records = '{}' THEN $2::timestamptz END,
       record_ids = CASE WHEN l.records = '{}' THEN r.record_ids ELSE l.records END
  FROM left_over l WHERE r.id = l.id
"""
"""Records that have become somebody else since stay restricted, for them."""
PERSON = "person"
"""Who asks by a token that is bound to a customer."""


async def restrict(
    connection: Connection,
    customer: UUID,
    *,
    by: str,
    at: datetime | None = None,
    zone: tzinfo = UTC,
) -> Request:
    """Restrict a customer at once, or since `at`; what is restricted already stays so.

    Where only a part of their records is, as after a merge, all of them are from now on. Raises
    NotFound. In a transaction.
    """
    (whose,) = await held(connection, customer)
    standing = await connection.fetch(IN_FORCE, whose)
    same = [row["id"] for row in standing if row["requested_by"] == by and row["is_whole"]]
    if same:
        return await requests.find(connection, same[0])
    made = await requests.ask(connection, "restriction", whose, by=by, at=at, zone=zone)
    await connection.execute(BEGIN, made.id, at or clock.now(), whose)
    await _tell(connection, whose)
    return await requests.find(connection, made.id)


async def lift(
    connection: Connection, customer: UUID, *, by: str, at: datetime | None = None
) -> Sequence[Request]:
    """Lift a customer's restrictions; the person themself lifts only what they asked for.

    Raises NotFound, and Conflict where somebody else's stands. In a transaction.
    """
    (whose,) = await held(connection, customer)
    standing = await connection.fetch(IN_FORCE, whose)
    if by == PERSON and any(row["requested_by"] != PERSON for row in standing):
        raise Conflict("The restriction was not asked for with this token: ask the retailer.")
    lifted = [row["id"] for row in standing]
    await connection.execute(LIFT, lifted, at or clock.now(), whose)
    await _tell(connection, whose)
    return [await requests.find(connection, id_) for id_ in lifted]


async def _tell(connection: Connection, customer: UUID) -> None:
    """Bring the customer in step, and write the event if that changed anything."""
    for id_, is_restricted in (await restriction.apply(connection, [customer])).items():
        type_ = "customer.restricted" if is_restricted else "customer.unrestricted"
        await outbox.write(connection, [Event(type_, id_)], cause="privacy")
